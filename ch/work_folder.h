#pragma once

#include <filesystem>
#include <string_view>

#include "ch/run.h"
#include "mase/support/lock_file.h"

namespace ch {

// A folder of a project into which one process at a time writes its results, so that those of two
// never mix: <project>/software/<name>, or version_N in it for one that comes while another is at
// work there (a warning says so), or where the file system has no locks by which to know. Held as
// long as the object lives; a process that ends in whatever way holds nothing. Throws
// Error{RunFailed}.
class WorkFolder {
 public:
  WorkFolder(const Run& run, std::string_view name);
  const std::filesystem::path& path() const { return path_; }

 private:
  mase::LockFile lock_;
  std::filesystem::path path_;
};

}  // namespace ch
