#include "mase/support/paths.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "mase/support/files.h"

namespace mase {
namespace {

namespace fs = std::filesystem;

class Paths : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  const fs::path folder_ = fs::path(testing::TempDir()) / "paths";
};

TEST_F(Paths, WhatCannotBeAskedIsNotThere) {
  fs::create_symlink("loop", folder_ / "loop");
  write_file(folder_ / "file", "");
  for (const fs::path& path :
       {folder_ / std::string(300, 'n'), folder_ / "loop" / "a", folder_ / "file" / "below",
        fs::path(std::string(5000, '/') + "a"), fs::path("")}) {
    EXPECT_FALSE(path_exists(path)) << path;
    EXPECT_FALSE(is_file(path)) << path;
    EXPECT_FALSE(is_folder(path)) << path;
    EXPECT_FALSE(why_missing(path).empty()) << path;
    EXPECT_TRUE(folder_entries(path).empty()) << path;
    absolute_path(path);
    path_from_here(path);
  }
  EXPECT_TRUE(is_file(folder_ / "file"));
  EXPECT_TRUE(is_folder(folder_));
  EXPECT_EQ(why_missing(folder_ / "file"), "");
  EXPECT_EQ(why_missing(folder_ / "no"), "file not found");
  EXPECT_EQ(why_missing(folder_ / std::string(300, 'n')), "File name too long");
}

TEST_F(Paths, EntriesAreInTheOrderOfTheirNames) {
  for (const char* name : {"b", "a", "c"}) write_file(folder_ / name, "");
  EXPECT_EQ(folder_entries(folder_),
            (std::vector<fs::path>{folder_ / "a", folder_ / "b", folder_ / "c"}));
}

TEST_F(Paths, TheWorkingFolderMayBeGone) {
  const fs::path before = fs::current_path();
  fs::create_directory(folder_ / "gone");
  fs::current_path(folder_ / "gone");
  fs::remove(folder_ / "gone");
  EXPECT_EQ(absolute_path("a/../b"), "b");
  EXPECT_EQ(path_from_here("b"), "b");
  fs::current_path(before);
}

}  // namespace
}  // namespace mase
