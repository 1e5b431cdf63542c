// `.mz` archives: graph text, safetensors and TOML in one zip.
#include "mase/io/graph/mz.h"

#include "fuzz/harness.h"
#include "mase/ir/graph_text.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  const auto graph = io::parse_mz({bytes, nullptr}, "input");
  if (graph) fuzz::require(!ir::to_text(*graph).empty(), "a graph that was read can be written");
}
