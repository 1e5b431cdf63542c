// HDF5 tables, read as open_table reads them: whatever the bytes, an error or as many rows as were
// announced. Inputs are changed in place, for a file whose addresses no longer fit is refused at
// its first byte; the reading itself happens in child processes, where crashes of the HDF5 library
// are caught.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <random>

#include "fuzz/harness.h"
#include "mase/io/open_table.h"

namespace {

// The library wants a path it can resolve, which a file in memory does not have.
std::filesystem::path write_input(std::span<const std::byte> bytes) {
  static const auto path =
      std::filesystem::temp_directory_path() / ("mase_fuzz_hdf5_" + std::to_string(::getpid()));
  std::ofstream(path, std::ios::binary | std::ios::trunc) << mase::fuzz::text_of(bytes);
  return path;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t,
                                               unsigned seed) {
  constexpr std::size_t kWindow = 8;
  if (size < kWindow) return size;
  std::minstd_rand random(seed);
  for (unsigned edits = 1 + random() % 3; edits > 0; --edits) {
    std::uint8_t* window = data + random() % (size - kWindow + 1);
    LLVMFuzzerMutate(window, 1 + random() % kWindow, kWindow);
  }
  return size;
}

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  const auto table = io::open_table(write_input(bytes), "t");
  if (!table) return;
  std::vector<std::size_t> wanted((*table)->columns().size());
  std::iota(wanted.begin(), wanted.end(), std::size_t{0});
  std::size_t values = 0;
  const auto status = (*table)->read(wanted, [&](std::int64_t, std::span<const double> piece) {
    values += piece.size();
    return Status(std::monostate{});
  });
  fuzz::require(!status.ok() || (*table)->rows() < 0 ||
                    static_cast<std::int64_t>(values) ==
                        (*table)->rows() * static_cast<std::int64_t>(wanted.size()),
                "all rows arrive");
}
