#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "mase/io/tables/table.h"

namespace mase::io {

// How a user names a table: by its file, or for one of several in an HDF5 file as
// "jets.h5:/events/jets". `inside` is "/events/jets" or empty. A file of the whole name comes
// first.
struct TablePath {
  std::filesystem::path file;
  std::string inside;
};
TablePath split_table_path(const std::filesystem::path& path);

// A table in any format read here, told by the file's first bytes: HDF5 (`preferred` as for
// open_hdf5_table), npy, npz, and otherwise CSV, which may be gzipped. A path in `preferred` is an
// error for those.
Result<std::unique_ptr<Table>> open_table(const std::filesystem::path& path,
                                          std::string_view preferred = "");

}  // namespace mase::io
