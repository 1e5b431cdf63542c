#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "mase/io/tables/table.h"

namespace mase::io {

// Whether a file begins as HDF5 files do, at the start or behind a user block.
bool is_hdf5(const std::filesystem::path& path);

// The table of an HDF5 file: a one-dimensional dataset of a compound type (its members are the
// columns), a frame that pandas wrote (to_hdf, both formats), or arrays of equal length in one
// group (a dataset for each column; matrices, whose columns are called by a list of names beside
// them or X[0], X[1], ...). It may lie in any group and behind links within the file.
//
// `preferred` is the name of a dataset of records in the root group, taken if it is there; else the
// file must hold one table only. With a '/' in front it is the path of the table: a dataset, a
// group that holds one, or several datasets with commas between ("/X_train,/y_train").
//
// Storage compact, contiguous or chunked, with the filters that the library has or finds plug-ins
// for. Integers, floating-point numbers, enumerations and bit fields can be read, in any byte
// order, also within arrays and compound members; what was never written is its fill value. Sizes
// are checked against the file before memory is taken for them: chunks of 1 GiB in use at one time,
// 65,536 columns, 20,000 links looked at.
//
// The structure of the file is taken apart by the HDF5 C library (1.10 or later), which a file made
// to damage it can bring down: open_table (open_table.h) therefore reads in a process apart. Calls
// from several threads take turns (one lock).
Result<std::unique_ptr<Table>> open_hdf5_table(const std::filesystem::path& path,
                                               std::string_view preferred = "");

// The same of a file in memory.
Result<std::unique_ptr<Table>> parse_hdf5_table(std::span<const std::byte> image,
                                                const std::string& name,
                                                std::string_view preferred = "");

}  // namespace mase::io
