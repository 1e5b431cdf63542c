// Files that come with the program, found from anywhere.
#include "mase/support/installation.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mase {
namespace {

namespace fs = std::filesystem;

TEST(Installation, FilesOfTheProgramAreFoundFromAnyFolder) {
  const fs::path folder = fs::path(testing::TempDir()) / "installation";
  fs::create_directories(folder / "configs/models");
  const fs::path before = fs::current_path();
  fs::current_path(folder);
  const fs::path name = "configs/models/jsc-10x.toml";
  EXPECT_EQ(find_shared(name), share_folder() / name);
  EXPECT_TRUE(fs::is_regular_file(find_shared(name)));
  EXPECT_EQ(find_shared("configs/none.toml"), "configs/none.toml") << "for the message";
  std::ofstream(folder / name) << "own";
  EXPECT_EQ(find_shared(name), name) << "what lies here comes first";
  EXPECT_EQ(find_shared(folder / "none"), folder / "none");
  fs::current_path(before);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace mase
