// Checkpoints put into a network: names and shapes that fit, or an error that leaves the network as
// it was.
#include "mase/io/graph/load.h"

#include "fuzz/harness.h"
#include "fuzz/network.h"
#include "mase/ir/graph_text.h"
#include "mase/ops/verify.h"

namespace {

using namespace mase;

bool same_parameters(const ir::Graph& a, const ir::Graph& b) {
  for (std::size_t i = 0; i < a.parameters().size(); ++i) {
    if (!(a.parameters()[i].value == b.parameters()[i].value)) return false;
  }
  return a.parameters().size() == b.parameters().size();
}

void load(const std::filesystem::path& path, bool partial) {
  ir::Graph graph = fuzz::network();
  io::LoadReport report;
  if (!fuzz::passes([&] { report = io::load_parameters(path, graph, partial); })) {
    fuzz::require(ir::to_text(graph) == ir::to_text(fuzz::network()) &&
                      same_parameters(graph, fuzz::network()),
                  "an error leaves the network as it was");
    return;
  }
  fuzz::require(partial || report.complete(), "all of it, or an error");
  fuzz::require(ops::verify(graph).empty(), "the network still holds");
  (void)report.text();
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  const fuzz::InputFile file(bytes);
  load(file.path(), false);
  load(file.path(), true);
}
