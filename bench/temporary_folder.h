#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "mase/support/error.h"

namespace mase::bench {

// A folder of its own for what a benchmark writes, removed in the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "mase_bench_XXXXXX").string();
    if (!mkdtemp(name.data())) throw Error(ErrorKind::RunFailed, "cannot make the folder " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace mase::bench
