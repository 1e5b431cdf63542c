#pragma once

#include <filesystem>

namespace mase::io {

// Whether a file is an HDF5 file with as many bytes as its superblock says: one cut off is not.
// Reads the first bytes only.
bool is_whole_hdf5(const std::filesystem::path& path);

}  // namespace mase::io
