// The text form of graphs: what is read can be written and read again, alike.
#include "mase/ir/graph_text.h"

#include "fuzz/harness.h"
#include "mase/io/bytes.h"
#include "mase/ops/verify.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  auto parsed = ir::parse_graph(fuzz::text_of(bytes), "input");
  if (!parsed) return;
  ir::State values;
  std::uint64_t total = 0;
  for (const ir::ParameterLine& line : parsed->parameters) {
    const auto size = io::dense_bytes(line.shape, size_of(line.dtype));
    if (!size || (total += *size) > (1u << 20)) return;  // nobody has such weights at hand
    values.emplace_back(line.name, ir::Tensor(line.shape, line.dtype));
  }
  const auto graph = ir::with_parameters(*std::move(parsed), values);
  if (!graph || !ops::verify(*graph).empty()) return;
  const std::string text = ir::to_text(*graph);
  auto again = ir::parse_graph(text, "written");
  fuzz::require(again.ok(), "what is written can be read");
  const auto same = ir::with_parameters(*std::move(again), values);
  fuzz::require(same.ok() && ir::to_text(*same) == text, "written twice alike");
}
