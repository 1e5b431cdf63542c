// The superblock of an HDF5 file (HDF5 file format specification 3.0, II.A), as far as it says
// where the file ends.
#include "mase/io/tables/hdf5_file.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include "mase/io/tables/hdf5_table.h"

namespace mase::io {
namespace {

// Place of the end-of-file address by version of the superblock; addresses of 8 bytes.
struct Layout {
  std::size_t version;
  std::size_t address_size;  // where its size stands
  std::size_t end;
};
constexpr std::array kLayouts{Layout{0, 13, 40}, Layout{1, 13, 44}, Layout{2, 9, 28},
                              Layout{3, 9, 28}};
constexpr std::size_t kVersionAt = 8;

}  // namespace

bool is_whole_hdf5(const std::filesystem::path& path) {
  if (!is_hdf5(path)) return false;
  std::array<char, 64> bytes = {};
  std::ifstream(path, std::ios::binary).read(bytes.data(), bytes.size());
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(path, code);
  // A user block before the superblock: whether it is whole shows when it is opened.
  if (code || !std::string_view(bytes.data(), 4).ends_with("HDF")) return !code;
  for (const Layout& layout : kLayouts) {
    if (static_cast<unsigned char>(bytes[kVersionAt]) != layout.version) continue;
    if (bytes[layout.address_size] != sizeof(std::uint64_t)) return true;
    std::uint64_t end = 0;
    std::memcpy(&end, bytes.data() + layout.end, sizeof end);
    return size >= end;
  }
  return true;  // of a later version
}

}  // namespace mase::io
