#pragma once

#include <cstddef>
#include <filesystem>

namespace mase::bench {

// Writes an HDF5 file of jets with so many rows, by repeating those of the file `source` with
// noise; each row a record of so many members (at least 21), of which the last 21 are what `jsc`
// reads. Compressed with gzip or, as the published file, with lzf.
struct JetsFile {
  std::filesystem::path source;
  std::size_t rows = 830'000;
  std::size_t members = 21;
  bool lzf = false;
};
void write_jets(const std::filesystem::path& path, const JetsFile& file);

}  // namespace mase::bench
