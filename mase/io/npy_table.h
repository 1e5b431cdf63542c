#pragma once

#include <filesystem>
#include <memory>

#include "mase/io/table.h"

namespace mase::io {

// A table saved by NumPy: a one-dimensional structured array (.npy), or an archive (.npz) with one
// one-dimensional array per column, all of one length, or with one structured array and nothing
// else. Read whole when opened.
Result<std::unique_ptr<Table>> open_npy_table(const std::filesystem::path& path);
Result<std::unique_ptr<Table>> open_npz_table(const std::filesystem::path& path);

}  // namespace mase::io
