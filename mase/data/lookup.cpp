// The places where data files may lie. A folder that the user named must be there, and a file that
// is in it but out of reach is an error: passing over either would take other data than was meant.
#include "mase/data/lookup.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "mase/support/error.h"
#include "mase/support/installation.h"
#include "mase/support/suggest.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDataVariable = "MASE_DATA_DIR";
constexpr std::size_t kMostNeighbours = 1000;  // folders that a hint is looked for among

fs::path variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path{} : fs::path(value);
}

// A folder that may hold data.
struct Place {
  fs::path folder;
  std::string_view named_by;  // the option or variable; "" for the cache, which nobody need name
};

std::vector<Place> places(const OpenOptions& options) {
  std::vector<Place> out;
  for (Place place : {Place{options.data_dir, "--data-dir"},
                      Place{variable(kDataVariable), kDataVariable}, Place{cache_folder(), ""}}) {
    if (!place.folder.empty()) out.push_back(std::move(place));
  }
  return out;
}

// A folder beside the missing one with nearly its name, or the last one on the way to it.
std::string nearest_folder(const fs::path& missing) {
  std::error_code code;
  fs::path parent = fs::absolute(missing, code).lexically_normal();
  if (!parent.has_filename()) parent = parent.parent_path();
  const std::string name = parent.filename().string();
  parent = parent.parent_path();
  std::vector<std::string> neighbours;
  fs::directory_iterator entries(parent, fs::directory_options::skip_permission_denied, code);
  for (; !code && entries != fs::directory_iterator() && neighbours.size() < kMostNeighbours;
       entries.increment(code)) {
    std::error_code unknown;
    if (entries->is_directory(unknown)) neighbours.push_back(entries->path().filename().string());
  }
  if (auto near = nearest(name, neighbours, 1); !near.empty()) {
    return fmt::format("did you mean '{}'?", (parent / near.front()).string());
  }
  while (!fs::is_directory(parent, code) && parent != parent.parent_path()) {
    parent = parent.parent_path();
  }
  return fmt::format("of its path {} exists", parent.string());
}

// Throws Error{Unreadable} unless the folder can be looked into.
void require_folder(const fs::path& folder, std::string_view named_by) {
  const auto fail = [&](std::string_view what, std::string hint) {
    throw Error(ErrorKind::Unreadable, fmt::format("the folder of {} {}", named_by, what),
                {.file = folder.string()}, std::move(hint));
  };
  std::error_code code;
  const fs::file_status status = fs::status(folder, code);
  if (status.type() == fs::file_type::not_found) fail("does not exist", nearest_folder(folder));
  if (!fs::status_known(status)) fail(fmt::format("cannot be read: {}", code.message()), "");
  if (!fs::is_directory(status)) {
    fail("is a file", "name the folder; a table's own path goes in the place of the data set");
  }
  if (::access(folder.c_str(), R_OK | X_OK) != 0) {
    fail(fmt::format("cannot be read: {}", std::generic_category().message(errno)), "");
  }
}

// Whether a file lies there. Throws Error{Unreadable} if one may, but cannot be got at.
bool is_file(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (fs::is_regular_file(status)) return true;
  if (status.type() == fs::file_type::not_found) {
    if (!fs::is_symlink(fs::symlink_status(path, code))) return false;
    throw Error(
        ErrorKind::Unreadable,
        fmt::format("is a link to {}, which is not there", fs::read_symlink(path, code).string()),
        {.file = path.string()});
  }
  if (fs::is_directory(status)) return false;
  throw Error(ErrorKind::Unreadable,
              code ? fmt::format("cannot be read: {}", code.message()) : "is not a regular file",
              {.file = path.string()});
}

// The first of `names` in one folder, directly or in a sub-folder.
fs::path find_in(const fs::path& folder, std::span<const std::string_view> names,
                 std::span<const std::string_view> subfolders) {
  for (const std::string_view name : names) {
    if (is_file(folder / name)) return folder / name;
    for (const std::string_view subfolder : subfolders) {
      if (is_file(folder / subfolder / name)) return folder / subfolder / name;
    }
  }
  return {};
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
  for (Place& place : places(options)) folders.push_back(std::move(place.folder));
  return folders;
}

void check_data_dir(const OpenOptions& options) {
  if (!options.data_dir.empty()) require_folder(options.data_dir, "--data-dir");
}

bool names_folder(const OpenOptions& options) {
  return !options.data_dir.empty() || !variable(kDataVariable).empty();
}

fs::path find_data_file(const OpenOptions& options, std::span<const std::string_view> names,
                        std::span<const std::string_view> subfolders) {
  for (const Place& place : places(options)) {
    if (!place.named_by.empty()) require_folder(place.folder, place.named_by);
    fs::path found;
    try {
      found = find_in(place.folder, names, subfolders);
    } catch (const Error& error) {
      if (!place.named_by.empty()) throw;
      options.tell(LogLevel::Warning, fmt::format("passed over: {}", error.what()));
    }
    if (found.empty()) continue;
    if (!options.data_dir.empty() && place.folder != options.data_dir) {
      options.tell(LogLevel::Warning,
                   fmt::format("no {} in the folder of --data-dir, {}: taking {}", names.front(),
                               options.data_dir.string(), found.string()));
    }
    return found;
  }
  return {};
}

fs::path find_carried_file(const OpenOptions& options, const fs::path& relative) {
  for (const fs::path& folder :
       {options.data_dir, variable(kDataVariable), share_folder() / "data"}) {
    if (!folder.empty() && is_file(folder / relative)) return folder / relative;
  }
  return {};
}

}  // namespace mase::data
