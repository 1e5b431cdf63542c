#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

// The folder of larger test data that is not part of the repository: MASE_SHARED_DATA, or
// `shared/data` beside the source tree. Empty when absent: use MASE_NEEDS_SHARED_DATA to skip.
inline std::filesystem::path shared_data() {
  if (const char* dir = std::getenv("MASE_SHARED_DATA")) return dir;
  const std::filesystem::path beside =
      std::filesystem::path(MASE_SOURCE_DIR) / ".." / "shared" / "data";
  return std::filesystem::exists(beside) ? beside.lexically_normal() : std::filesystem::path{};
}

#define MASE_NEEDS_SHARED_DATA(file)                                                     \
  if (shared_data().empty() || !std::filesystem::exists(shared_data() / (file))) {       \
    GTEST_SKIP() << "needs " << (file) << " of the shared test data (MASE_SHARED_DATA)"; \
  }
