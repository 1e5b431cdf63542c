#include "mase/support/lock_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mase/support/error.h"
#include "mase/support/files.h"

namespace mase {
namespace {

namespace fs = std::filesystem;
using Taken = LockFile::Taken;

class Lock : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove_all(path_.parent_path()); }
  const fs::path path_ = fs::path(testing::TempDir()) / "lock_file" / "lock";
};

TEST_F(Lock, EachByteHasOneHolder) {
  LockFile first(path_);
  LockFile second(path_);
  EXPECT_EQ(first.try_lock(7), Taken::Yes);
  EXPECT_EQ(first.try_lock(7), Taken::Yes);  // again is no matter
  EXPECT_EQ(second.try_lock(7), Taken::Busy);
  EXPECT_EQ(second.try_lock(8), Taken::Yes);
  EXPECT_TRUE(first.others_from(8));
  EXPECT_FALSE(first.others_from(9));
  first.unlock(7);
  EXPECT_EQ(second.try_lock(7), Taken::Yes);
}

TEST_F(Lock, EndsWithItsProcess) {
  LockFile here(path_);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    LockFile there(path_);
    there.try_lock(0);
    static_cast<void>(!::write(ready[1], "x", 1));
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(here.try_lock(0), Taken::Busy);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(here.try_lock(0), Taken::Yes);
}

TEST_F(Lock, KnowsWhenItsFileIsGone) {
  const LockFile lock(path_);
  EXPECT_FALSE(lock.removed());
  fs::remove(path_);
  EXPECT_TRUE(lock.removed());
  const LockFile another(path_);
  EXPECT_TRUE(lock.removed());
  EXPECT_FALSE(another.removed());
}

TEST_F(Lock, NamesItsHolder) {
  LockFile lock(path_);
  EXPECT_EQ(lock.signature(), "");
  lock.sign(this_process());
  EXPECT_THAT(LockFile(path_).signature(),
              ::testing::StartsWith("process " + std::to_string(::getpid()) + " on "));
  // Whatever stands there is shown as plain text.
  write_file(path_, "\x1b[2Jhello\nmore");
  EXPECT_EQ(LockFile(path_).signature(), "?[2Jhello");
}

TEST_F(Lock, AFolderThatCannotBeMadeIsNamed) {
  write_file(path_, "");
  try {
    const LockFile lock(path_ / "below");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::RunFailed);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(path_.string()));
  }
}

}  // namespace
}  // namespace mase
