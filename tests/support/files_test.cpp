#include "mase/support/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace mase {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  std::string content(const fs::path& path) { return read_file(path).or_throw(); }
  const fs::path folder_ = fs::path(testing::TempDir()) / "files";
};

TEST_F(Files, AppearOnlyWhenCommitted) {
  const fs::path path = folder_ / "deep" / "a.txt";
  {
    AtomicFile file(path);
    file.write("half");
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::is_empty(path.parent_path()));  // the temporary is gone too
  write_file(path, "whole");
  EXPECT_EQ(content(path), "whole");
}

TEST_F(Files, AFailedWriteKeepsThePreviousFile) {
  const fs::path path = folder_ / "a.txt";
  write_file(path, "previous");
  const pid_t child = ::fork();
  if (child == 0) {
    // A limit on the file size stands in for a full disk: write() fails half way.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_file(path, std::string(100000, 'x'));
      ::_exit(1);
    } catch (const Error& error) {
      const bool says_so =
          std::string(error.what()).find("previous file is unchanged") != std::string::npos;
      ::_exit(says_so && exit_code(error.kind()) == 1 ? 0 : 2);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(content(path), "previous");
}

TEST_F(Files, ReadingIsBounded) {
  write_file(folder_ / "a.txt", "12345");
  EXPECT_FALSE(read_file(folder_ / "a.txt", 4).ok());
  EXPECT_EQ(read_file(folder_ / "missing").error().message, "file not found");
  EXPECT_FALSE(map_file(folder_).ok());
  write_file(folder_ / "empty", "");
  EXPECT_TRUE(map_file(folder_ / "empty").or_throw().bytes.empty());
}

}  // namespace
}  // namespace mase
