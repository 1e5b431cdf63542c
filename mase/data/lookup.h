#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/data/dataset.h"

// Where data files are looked for.
namespace mase::data {

// MASE_CACHE_DIR, or `mase` in XDG_CACHE_HOME, or .cache/mase in the user's home; empty when none
// of them is known.
std::filesystem::path cache_folder();

// The folders that may hold data, in order: options.data_dir, MASE_DATA_DIR, the cache folder.
std::vector<std::filesystem::path> data_folders(const OpenOptions& options);

// The first of `names` in a data folder, directly or in one of its `subfolders`; empty if none is.
std::filesystem::path find_data_file(const OpenOptions& options,
                                     std::span<const std::string_view> names,
                                     std::span<const std::string_view> subfolders);

// A file the project carries under data/: in MASE_DATA_DIR, the installed share folder or the
// source tree. Empty if it is in none of them.
std::filesystem::path find_carried_file(const std::filesystem::path& relative);

}  // namespace mase::data
