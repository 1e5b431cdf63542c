// safetensors files: what is read can be written and read again, equal.
#include "mase/io/arrays/safetensors.h"

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  const auto got = io::parse_safetensors(bytes, "input");
  if (!got) return;
  std::size_t total = 0;
  for (const auto& [name, tensor] : got->tensors) total += tensor.bytes();
  fuzz::require(total <= bytes.size(), "tensors in proportion");
  const std::string written = io::safetensors_bytes(*got);
  const auto again = io::parse_safetensors(io::bytes_of(written), "input");
  fuzz::require(again.ok() && again->tensors == got->tensors && again->metadata == got->metadata,
                "read, written, read");
}
