#pragma once

#include <cstdint>

#include "mase/io/tables/hdf5_library.h"

// Whether a dataset can be read, and what that takes, before any memory is taken for it.
namespace mase::io::hdf5 {

// Columns and names of one table, links of one file that are looked at.
inline constexpr std::size_t kMostColumns = 1 << 16;
// Memory for the chunks of a table that are unpacked at one time.
inline constexpr std::uint64_t kMostChunkBytes = std::uint64_t{1} << 30;
// What a small file may claim for rows that were never written and for what compresses without
// bound: it costs the time to go through them.
inline constexpr std::uint64_t kFreeBytes = std::uint64_t{256} << 20;

struct Storage {
  std::uint64_t rows = 0;
  std::uint64_t width = 0;        // elements in a row
  std::uint64_t chunk_bytes = 0;  // of all chunks that a row goes through; 0: not in chunks
  std::uint64_t chunks = 0;       // ... how many
};

// An error for other storage than compact, contiguous and chunked, for filters the library has not,
// for members beyond their row and for sizes that a file of this length cannot hold.
Result<Storage> check_storage(const File& file, const std::string& path, hid_t dataset);

}  // namespace mase::io::hdf5
