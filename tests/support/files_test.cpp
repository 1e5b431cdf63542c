#include "mase/support/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include "mase/support/sha256.h"

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

// A writer of another process that stops in the middle. Ends with the returned process.
pid_t stuck_writer(const fs::path& path) {
  int ready[2];
  if (::pipe(ready) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(path);
    file.write(std::string(1 << 20, 'x'));
    static_cast<void>(!::write(ready[1], "x", 1));
    for (;;) ::pause();
  }
  char byte = 0;
  static_cast<void>(!::read(ready[0], &byte, 1));
  ::close(ready[0]);
  ::close(ready[1]);
  return child;
}

TEST_F(Files, WhatAKilledWriterLeavesIsCleared) {
  const fs::path path = folder_ / "deep" / "a.txt";
  const auto entries = [&] {
    return std::distance(fs::directory_iterator(path.parent_path()), {});
  };
  const pid_t writer = stuck_writer(path);
  EXPECT_EQ(entries(), 1);
  remove_leftovers(folder_);
  EXPECT_EQ(entries(), 1);  // it is alive
  ::kill(writer, SIGKILL);
  int status = 0;
  ::waitpid(writer, &status, 0);
  EXPECT_EQ(entries(), 1);
  remove_leftovers(folder_);
  EXPECT_EQ(entries(), 0);
}

TEST_F(Files, TheNextWriteClearsTheFolder) {
  fs::create_directories(folder_ / "next");
  std::ofstream(folder_ / "next" / ".mase-0123456789abcdef.tmp") << "half";
  std::ofstream(folder_ / "next" / ".mase-of-a-user.tmp") << "theirs";
  write_file(folder_ / "next" / "a.txt", "a");
  EXPECT_FALSE(fs::exists(folder_ / "next" / ".mase-0123456789abcdef.tmp"));
  EXPECT_TRUE(fs::exists(folder_ / "next" / ".mase-of-a-user.tmp"));
}

TEST_F(Files, NamesMayBeAsLongAsTheSystemAllows) {
  const fs::path path = folder_ / std::string(255, 'n');
  write_file(path, "a");
  EXPECT_EQ(content(path), "a");
}

TEST_F(Files, ALinkStaysOne) {
  write_file(folder_ / "target", "before");
  fs::create_symlink("target", folder_ / "link");
  write_file(folder_ / "link", "after");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(content(folder_ / "target"), "after");
}

TEST_F(Files, APipeIsWrittenToAndNotReplaced) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0666), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  write_file(pipe, "text");
  char text[8] = {};
  EXPECT_EQ(::read(reader, text, sizeof text), 4);
  EXPECT_STREQ(text, "text");
  EXPECT_TRUE(fs::is_fifo(pipe));
  ::close(reader);
}

TEST_F(Files, AFolderIsNotReplaced) {
  EXPECT_THROW(write_file(folder_, "x"), Error);
  EXPECT_TRUE(fs::is_directory(folder_));
}

TEST_F(Files, PipesAndDevicesAreNamedAndNeverWaitedFor) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto message = [](const auto& result) {
    return result ? std::string("no error") : result.error().message;
  };
  ::alarm(20);  // a reader that waits is ended
  for (const auto& [path, what] : {std::pair<fs::path, const char*>{pipe, "is a pipe"},
                                   {"/dev/zero", "is a device"},
                                   {"/dev/null", "is a device"},
                                   {folder_, "is a folder"}}) {
    EXPECT_TRUE(message(read_file(path)).starts_with(what)) << message(read_file(path));
    EXPECT_TRUE(message(load_file(path)).starts_with(what)) << message(load_file(path));
    EXPECT_TRUE(message(sha256_file(path)).starts_with(what)) << message(sha256_file(path));
  }
  ::alarm(0);
}

TEST_F(Files, ReadingIsBounded) {
  write_file(folder_ / "a.txt", "12345");
  EXPECT_FALSE(read_file(folder_ / "a.txt", 4).ok());
  EXPECT_EQ(read_file(folder_ / "missing").error().message, "file not found");
  EXPECT_FALSE(load_file(folder_).ok());
  write_file(folder_ / "empty", "");
  EXPECT_TRUE(load_file(folder_ / "empty").or_throw().bytes.empty());
  std::ofstream(folder_ / "sparse").put('x');
  fs::resize_file(folder_ / "sparse", std::uintmax_t{1} << 42);
  const auto sparse = load_file(folder_ / "sparse");
  ASSERT_FALSE(sparse.ok());
  EXPECT_EQ(sparse.error().message, "its 4398046511104 bytes do not fit into the memory");
}

// A mapping would end the process here: SIGBUS.
TEST_F(Files, AFileMayBeCutOffWhileItsBytesAreInUse) {
  const std::string text(100'000, 'x');
  write_file(folder_ / "a", text);
  const FileBytes loaded = load_file(folder_ / "a").or_throw();
  fs::resize_file(folder_ / "a", 0);
  ASSERT_EQ(loaded.bytes.size(), text.size());
  EXPECT_EQ(std::memcmp(loaded.bytes.data(), text.data(), text.size()), 0);
}

}  // namespace
}  // namespace mase
