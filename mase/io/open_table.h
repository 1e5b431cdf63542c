#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "mase/io/table.h"

namespace mase::io {

// A table in any format read here, told by the file's first bytes: HDF5 (`preferred` as for
// open_hdf5_table), npy, npz, and otherwise CSV, which may be gzipped.
Result<std::unique_ptr<Table>> open_table(const std::filesystem::path& path,
                                          std::string_view preferred = "");

}  // namespace mase::io
