#pragma once

#include <filesystem>
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

// Throws Error{Unreadable} if options.data_dir is given and is no folder that can be looked into.
void check_data_dir(const OpenOptions& options);

// Whether the user named a folder of data: options.data_dir or MASE_DATA_DIR.
bool names_folder(const OpenOptions& options);

// The first of `names` in a data folder, directly or in one of its `subfolders`; empty if none is.
// A warning says when it is not the folder of options.data_dir that has it. Throws
// Error{Unreadable} for a named folder that cannot be looked into, and for a file of one of these
// names in it that cannot be got at (no permission, a link to nowhere, a pipe).
std::filesystem::path find_data_file(const OpenOptions& options,
                                     std::span<const std::string_view> names,
                                     std::span<const std::string_view> subfolders);

// A file the project carries under data/: in options.data_dir, MASE_DATA_DIR, the installed share
// folder or the source tree. Empty if it is in none of them. Throws as find_data_file.
std::filesystem::path find_carried_file(const OpenOptions& options,
                                        const std::filesystem::path& relative);

}  // namespace mase::data
