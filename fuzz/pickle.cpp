// The pickle inside a checkpoint, without a zip's checksum in the way: the input is data.pkl,
// beside it lie three storages.
#include "mase/io/torch/pickle.h"

#include "fuzz/harness.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/io/zip.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  io::ZipWriter zip;
  zip.add("x/data.pkl", {bytes, nullptr});
  for (const char* key : {"0", "1", "2"}) {
    zip.add(std::string("x/data/") + key, std::string(64, key[0]));
  }
  const auto got = io::parse_checkpoint(io::own(zip.to_string()), "input");
  if (!got) return;
  std::size_t total = 0;
  for (const auto& [name, tensor] : got->state) total += tensor.bytes();
  fuzz::require(total <= (bytes.size() + 1000) * 16 + (1u << 20), "tensors in proportion");
}
