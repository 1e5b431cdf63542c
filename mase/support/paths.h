#pragma once

#include <filesystem>
#include <string>
#include <vector>

// Questions about paths, which never throw: the forms of std::filesystem that do would turn a
// folder without permission, a name too long or a loop of links into an internal error. Whoever
// goes on to open the file gets the reason there.
namespace mase {

// False where it cannot be found out.
bool path_exists(const std::filesystem::path& path);
bool is_file(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);

// Why there is nothing to be had under this name: "file not found", "permission denied", ...; empty
// if there is.
std::string why_missing(const std::filesystem::path& path);

// From the root, without "." and ".."; as it is where the working folder is gone.
std::filesystem::path absolute_path(const std::filesystem::path& path);
// As one would type it here: relative to the working folder where that is possible.
std::filesystem::path path_from_here(const std::filesystem::path& path);

// What a folder holds, in the order of names; empty where it cannot be read.
std::vector<std::filesystem::path> folder_entries(const std::filesystem::path& folder);

}  // namespace mase
