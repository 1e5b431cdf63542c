// std::filesystem by its error codes.
#include "mase/support/paths.h"

#include <algorithm>
#include <system_error>

#include "mase/support/files.h"

namespace mase {

namespace fs = std::filesystem;

bool path_exists(const fs::path& path) {
  std::error_code code;
  return fs::exists(path, code);
}

bool is_file(const fs::path& path) {
  std::error_code code;
  return fs::is_regular_file(path, code);
}

bool is_folder(const fs::path& path) {
  std::error_code code;
  return fs::is_directory(path, code);
}

std::string why_missing(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (fs::exists(status) && fs::status_known(status)) return {};
  if (status.type() == fs::file_type::not_found) return "file not found";
  return system_reason(code.value());
}

fs::path absolute_path(const fs::path& path) {
  std::error_code code;
  const fs::path absolute = fs::absolute(path, code);
  return (code ? path : absolute).lexically_normal();
}

fs::path path_from_here(const fs::path& path) {
  std::error_code code;
  const fs::path here = fs::current_path(code);  // proximate(path, code) throws where this fails
  return code ? path : absolute_path(path).lexically_proximate(here);
}

std::vector<fs::path> folder_entries(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    out.push_back(it->path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace mase
