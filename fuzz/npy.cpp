// npy files: what is read can be written and read again, equal.
#include "mase/io/arrays/npy.h"

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  if (const auto table = io::parse_npy_columns(bytes, "input")) {
    std::size_t total = 0;
    for (const auto& [name, column] : *table) total += column.bytes();
    fuzz::require(total <= 2 * bytes.size(), "columns in proportion");
  }
  if (const auto columns = io::npy_columns(bytes, bytes.size(), "input")) {
    for (const io::NpyColumn& column : *columns) {
      if (!column.problem.empty() || column.rows == 0) continue;
      if (column.is_text()) {
        fuzz::require(io::npy_text(column, bytes, column.rows - 1).size() <= column.size,
                      "texts in proportion");
      } else {
        (void)io::npy_numbers(column, bytes, column.rows - 1, 1).ok();
      }
    }
  }
  const auto array = io::parse_npy(bytes, "input");
  if (!array) return;
  fuzz::require(array->bytes() <= 2 * bytes.size(), "array in proportion");
  const std::string written = io::npy_bytes(*array);
  const auto again = io::parse_npy(io::bytes_of(written), "input");
  fuzz::require(again.ok() && *again == *array, "read, written, read");
}
