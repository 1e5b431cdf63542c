// IDX files, gzipped or not: an array in proportion to the input, or an error.
#include "mase/io/arrays/idx.h"

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  const fuzz::InputFile file(bytes);
  const auto array = io::read_idx(file.path());
  if (!array) return;
  fuzz::require(array->bytes() <= 1032 * bytes.size(), "array in proportion");
  fuzz::require(!array->shape().empty(), "an array of at least one dimension");
}
