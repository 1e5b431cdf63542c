// Checkpoints as they come: a zip archive with a pickle and storages.
#include "mase/io/torch/checkpoint.h"

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  const auto got = mase::io::parse_checkpoint({bytes, nullptr}, "input");
  if (!got) return;
  std::size_t total = 0;
  for (const auto& [name, tensor] : got->state) total += tensor.bytes();
  // Packed members count as 16 times their size, and tensors may share storages.
  mase::fuzz::require(total <= (bytes.size() * 16 * 4) + (1u << 26), "tensors in proportion");
}
