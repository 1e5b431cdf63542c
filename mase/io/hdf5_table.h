#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "mase/io/table.h"

namespace mase::io {

// Whether a file begins as HDF5 files do, at the start or behind a user block.
bool is_hdf5(const std::filesystem::path& path);

// A one-dimensional dataset of a compound type in an HDF5 file: its members are the columns.
// Takes the dataset called `preferred`, or else the only such dataset of the root group.
// Storage compact, contiguous or chunked; filters gzip, shuffle, fletcher32, LZF. Members of
// integer, floating-point and enumeration type can be read, in any byte order; others may be
// present. Sizes are checked against the file before memory is taken for them.
//
// The structure of the file is taken apart by the HDF5 C library (1.10 or later), which a file made
// to damage it can bring down: open_table (open_table.h) therefore reads in a process apart. Calls
// from several threads take turns (one lock).
Result<std::unique_ptr<Table>> open_hdf5_table(const std::filesystem::path& path,
                                               std::string_view preferred = "");

}  // namespace mase::io
