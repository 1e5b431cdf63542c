// The first to come holds the lock file in the folder; the others make folders of their own.
#include "ch/work_folder.h"

#include <fmt/format.h>

#include <system_error>

#include "mase/support/error.h"
#include "mase/support/files.h"

namespace ch {
namespace {

namespace fs = std::filesystem;

// A new folder version_N: create_directory says whether it was we who made it.
fs::path new_version(const fs::path& folder) {
  for (int number = 1;; ++number) {
    const fs::path path = folder / fmt::format("version_{}", number);
    std::error_code code;
    if (fs::create_directory(path, code)) return path;
    if (!code) continue;
    throw mase::Error(mase::ErrorKind::RunFailed,
                      "cannot create the folder: " + mase::system_reason(code.value()),
                      {.file = path.string()});
  }
}

}  // namespace

WorkFolder::WorkFolder(const Run& run, std::string_view name)
    : lock_(run.software(name) / ".lock"), path_(run.software(name)) {
  const mase::LockFile::Taken taken = lock_.try_lock(0);
  if (taken == mase::LockFile::Taken::Yes) {
    lock_.sign(mase::this_process());
    return;
  }
  const std::string holder = lock_.signature();
  const fs::path shared = path_;
  path_ = new_version(shared);
  if (taken == mase::LockFile::Taken::Busy) {
    run.warn(fmt::format("{} is at work in {}: what this run writes goes to {}",
                         holder.empty() ? "another process" : holder, shared.string(),
                         path_.string()));
  } else {
    run.info(
        fmt::format("The file system has no locks to keep runs apart: what this run writes "
                    "goes to {}",
                    path_.string()));
  }
}

}  // namespace ch
