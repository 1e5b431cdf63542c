// LZF as a filter of the HDF5 library. Each chunk is one LZF stream (liblzf); the third filter
// parameter is the chunk's size in bytes. A chunk that does not shrink is stored as it is.
#include "mase/io/tables/hdf5_lzf.h"

#include <hdf5.h>
#include <lzf.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace mase::io {
namespace {

constexpr unsigned kRevision = 4;
// Three bytes of LZF stand for at most 264 bytes, so no honest stream grows further.
constexpr std::size_t kLargestLzfRatio = 88;

// Swaps the pipeline's buffer for a new one. Returns the size in use.
std::size_t replace(void** buffer, std::size_t* capacity, void* fresh, std::size_t fresh_capacity,
                    std::size_t used) {
  H5free_memory(*buffer);
  *buffer = fresh;
  *capacity = fresh_capacity;
  return used;
}

std::size_t decompress(std::size_t size, std::size_t expected, std::size_t* capacity,
                       void** buffer) {
  const std::size_t limit = size * kLargestLzfRatio + 64;
  std::size_t room = expected > 0 ? std::min(expected, limit) : std::min(4 * size + 64, limit);
  for (;;) {
    void* out = H5allocate_memory(room, false);
    if (out == nullptr) return 0;
    const unsigned used =
        lzf_decompress(*buffer, static_cast<unsigned>(size), out, static_cast<unsigned>(room));
    if (used > 0) return replace(buffer, capacity, out, room, used);
    H5free_memory(out);
    // The file may understate the size: try up to what the stream could hold, then give up.
    if (room >= limit) return 0;
    room = std::min(2 * room, limit);
  }
}

std::size_t compress(std::size_t size, std::size_t* capacity, void** buffer) {
  void* out = H5allocate_memory(size, false);
  if (out == nullptr) return 0;
  const unsigned used =
      lzf_compress(*buffer, static_cast<unsigned>(size), out, static_cast<unsigned>(size));
  if (used > 0) return replace(buffer, capacity, out, size, used);
  H5free_memory(out);
  return 0;  // the library stores the chunk uncompressed, as the filter is optional
}

std::size_t filter(unsigned flags, std::size_t parameters, const unsigned values[],
                   std::size_t size, std::size_t* capacity, void** buffer) {
  if (size == 0 || size > 0xffffffffu / (kLargestLzfRatio + 1)) return 0;
  if ((flags & H5Z_FLAG_REVERSE) == 0) return compress(size, capacity, buffer);
  return decompress(size, parameters >= 3 ? values[2] : 0, capacity, buffer);
}

// Called when a dataset is created: stores the chunk size with the filter.
herr_t set_parameters(hid_t creation, hid_t type, hid_t) {
  std::array<hsize_t, H5S_MAX_RANK> chunk = {};
  const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, chunk.data());
  if (rank < 0) return -1;
  std::size_t bytes = H5Tget_size(type);
  for (int i = 0; i < rank; ++i) bytes *= chunk[static_cast<std::size_t>(i)];
  if (bytes == 0 || bytes > 0xffffffffu) return -1;
  const std::array<unsigned, 3> values = {kRevision, LZF_VERSION, static_cast<unsigned>(bytes)};
  return H5Pmodify_filter(creation, kLzfFilter, H5Z_FLAG_OPTIONAL, values.size(), values.data());
}

}  // namespace

bool register_lzf_filter() {
  static const bool registered = [] {
    const H5Z_class2_t row = {H5Z_CLASS_T_VERS, kLzfFilter,     1,     1, "lzf",
                              nullptr,          set_parameters, filter};
    return H5Zregister(&row) >= 0;
  }();
  return registered;
}

}  // namespace mase::io
