// Checkpoints as they come: a zip archive with a pickle and storages.
#include "mase/io/checkpoint.h"

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  const auto got = mase::io::parse_checkpoint({bytes, nullptr}, "input");
  if (!got) return;
  std::size_t total = 0;
  for (const auto& [name, tensor] : got->state) total += tensor.bytes();
  // Deflated members may unfold a thousandfold; shared storages 16-fold on top.
  mase::fuzz::require(total <= (bytes.size() * 1032 * 16) + (1u << 20), "tensors in proportion");
}
