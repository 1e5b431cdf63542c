#pragma once

#include <filesystem>
#include <memory>

#include "mase/io/tables/table.h"

namespace mase::io {

// A table saved by NumPy: a one-dimensional structured array (.npy), or an archive (.npz) of
// one-dimensional arrays, each a column, of matrices (X of shape [rows, k] is the columns X[0] to
// X[k-1], up to 4096) and of structured arrays. Only what is wanted has to be of one length and
// readable: other arrays may be of any type and shape.
//
// Opening reads the headers. Of an archive the arrays that are wanted are unpacked whole: no more
// than 1032 times their packed size, which is all that deflate can claim.
Result<std::unique_ptr<Table>> open_npy_table(const std::filesystem::path& path);
Result<std::unique_ptr<Table>> open_npz_table(const std::filesystem::path& path);

}  // namespace mase::io
