// Finds the program's own files from where its library lies, so that an installation can be moved.
#include "mase/support/installation.h"

#include <dlfcn.h>

namespace mase {

std::filesystem::path library_folder() {
  Dl_info info{};
  const auto* address = reinterpret_cast<const void*>(&library_folder);
  if (dladdr(address, &info) == 0 || !info.dli_fname) return {};
  std::error_code ignored;
  return std::filesystem::absolute(info.dli_fname, ignored).parent_path();
}

std::filesystem::path share_folder() {
  // <prefix>/lib/libmase.so or <prefix>/lib/<triplet>/libmase.so
  const std::filesystem::path library = library_folder();
  std::error_code ignored;
  for (const std::filesystem::path& prefix :
       {library.parent_path(), library.parent_path().parent_path()}) {
    std::filesystem::path share = prefix / MASE_SHARE_DIR;
    if (!library.empty() && std::filesystem::is_directory(share / "configs", ignored)) return share;
  }
  return MASE_SOURCE_DIR;
}

std::filesystem::path find_shared(const std::filesystem::path& path) {
  std::error_code ignored;
  if (path.is_absolute() || std::filesystem::exists(path, ignored)) return path;
  std::filesystem::path shared = share_folder() / path;
  return std::filesystem::exists(shared, ignored) ? shared : path;
}

}  // namespace mase
