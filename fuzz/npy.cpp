// npy files: what is read can be written and read again, equal.
#include "mase/io/npy.h"

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  if (const auto table = io::parse_npy_columns(bytes, "input")) {
    std::size_t total = 0;
    for (const auto& [name, column] : *table) total += column.bytes();
    fuzz::require(total <= 2 * bytes.size(), "columns in proportion");
  }
  const auto array = io::parse_npy(bytes, "input");
  if (!array) return;
  fuzz::require(array->bytes() <= 2 * bytes.size(), "array in proportion");
  const std::string written = io::npy_bytes(*array);
  const auto again = io::parse_npy(io::bytes_of(written), "input");
  fuzz::require(again.ok() && *again == *array, "read, written, read");
}
