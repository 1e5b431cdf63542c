#pragma once

#include <filesystem>
#include <span>

namespace mase::fuzz {

namespace fs = std::filesystem;

// The seeds of one target, written to its folder.
struct Seeds {
  const char* target;
  void (*make)(const fs::path& folder);
};

std::span<const Seeds> reader_seeds();   // small files of every kind (seeds_readers.cpp)
std::span<const Seeds> program_seeds();  // of what lies above the readers (seeds_program.cpp)
std::span<const Seeds> large_seeds();    // long names, deep nesting, many entries (seeds_large.cpp)

}  // namespace mase::fuzz
