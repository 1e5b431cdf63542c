// HDF5 tables, read from memory: whatever the bytes, an error or as many rows as were announced.
// Inputs are changed in place, for a file whose addresses no longer fit is refused at its first
// byte; the reading itself happens in a worker, as some of them crash the HDF5 library.
#include <algorithm>
#include <numeric>
#include <random>

#include "fuzz/worker.h"
#include "mase/io/tables/hdf5_table.h"

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

// What the library, which knows nothing of sanitizers, does to memory is not ours to mend. It gets
// none where it asks for more than any input here needs.
extern "C" const char* __asan_default_suppressions() {
  return "interceptor_via_lib:libhdf5";
}
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:max_allocation_size_mb=256";
}

namespace {

constexpr std::int64_t kMostValues = 1 << 20;  // the rest of a long table is more of the same

void read(std::span<const std::byte> bytes) {
  using namespace mase;
  static int number = 0;  // the library takes files of one name for one file
  const auto table = io::parse_hdf5_table(bytes, "input" + std::to_string(++number), "t");
  if (!table) return fuzz::require(!table.error().message.empty(), "an error says what is wrong");
  std::vector<std::size_t> wanted((*table)->columns().size());
  std::iota(wanted.begin(), wanted.end(), std::size_t{0});
  io::Categories classes;
  classes.add("g", 0);
  if (!wanted.empty()) (*table)->categorise(0, classes);
  std::int64_t rows = 0;
  bool stopped = false;
  const auto status =
      (*table)->read(wanted, [&](std::int64_t first, std::span<const double> piece) {
        fuzz::require(first == rows, "rows in order");
        fuzz::require(piece.size() % wanted.size() == 0, "whole rows");
        rows += static_cast<std::int64_t>(piece.size() / wanted.size());
        stopped = rows * static_cast<std::int64_t>(wanted.size()) > kMostValues;
        return stopped ? Status(ReadError{"enough", {}}) : Status(std::monostate{});
      });
  fuzz::require(!status.ok() || wanted.empty() || rows == (*table)->rows(), "all rows arrive");
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  static mase::fuzz::Worker worker(read, "libhdf5");
  worker(bytes);
}
