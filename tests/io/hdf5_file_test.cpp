#include "mase/io/tables/hdf5_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "mase/support/files.h"

namespace mase::io {
namespace {

namespace fs = std::filesystem;

TEST(Hdf5File, OneThatIsCutOffIsNotWhole) {
  const std::string bytes = read_file(MASE_SOURCE_DIR "/data/jsc/jsc_generated.h5").or_throw();
  const fs::path path = fs::path(testing::TempDir()) / "hdf5_file_test.h5";
  const auto is_whole = [&](std::string_view content) {
    write_file(path, content);
    return is_whole_hdf5(path);
  };
  EXPECT_TRUE(is_whole(bytes));
  for (const std::size_t size : {bytes.size() - 1, bytes.size() / 2, std::size_t{64}}) {
    EXPECT_FALSE(is_whole(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(is_whole("<html>"));
  EXPECT_FALSE(is_whole(""));
  EXPECT_FALSE(is_whole_hdf5(path / "missing"));
  // The newer superblocks: version, sizes, flags, base, extension, end.
  std::string newer = "\x89HDF\r\n\x1a\n";
  newer += std::string("\x03\x08\x08\x00", 4) + std::string(16, '\0');
  newer += std::string("\x40\0\0\0\0\0\0\0", 8) + std::string(28, '\0');
  EXPECT_TRUE(is_whole(newer));
  EXPECT_FALSE(is_whole(newer.substr(0, 63)));
  fs::remove(path);
}

}  // namespace
}  // namespace mase::io
