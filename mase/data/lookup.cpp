// The places where data files may lie.
#include "mase/data/lookup.h"

#include <cstdlib>

#include "mase/support/installation.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;

fs::path variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path{} : fs::path(value);
}

bool is_file(const fs::path& path) {
  std::error_code code;
  return fs::is_regular_file(path, code);
}

}  // namespace

fs::path cache_folder() {
  if (fs::path own = variable("MASE_CACHE_DIR"); !own.empty()) return own;
  // Relative paths are to be ignored there (XDG base directory specification).
  if (fs::path xdg = variable("XDG_CACHE_HOME"); xdg.is_absolute()) return xdg / "mase";
  if (fs::path home = variable("HOME"); home.is_absolute()) return home / ".cache" / "mase";
  return {};
}

std::vector<fs::path> data_folders(const OpenOptions& options) {
  std::vector<fs::path> folders;
  for (fs::path folder : {options.data_dir, variable("MASE_DATA_DIR"), cache_folder()}) {
    if (!folder.empty()) folders.push_back(std::move(folder));
  }
  return folders;
}

fs::path find_data_file(const OpenOptions& options, std::span<const std::string_view> names,
                        std::span<const std::string_view> subfolders) {
  for (const fs::path& folder : data_folders(options)) {
    for (const std::string_view name : names) {
      if (is_file(folder / name)) return folder / name;
      for (const std::string_view subfolder : subfolders) {
        if (is_file(folder / subfolder / name)) return folder / subfolder / name;
      }
    }
  }
  return {};
}

fs::path find_carried_file(const fs::path& relative) {
  for (const fs::path& folder : {variable("MASE_DATA_DIR"), share_folder() / "data"}) {
    if (!folder.empty() && is_file(folder / relative)) return folder / relative;
  }
  return {};
}

}  // namespace mase::data
