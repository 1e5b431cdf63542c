// init_metadata: empty common, software and hardware metadata for every node.
#include "mase/passes/analysis/init_metadata.h"

#include <algorithm>

namespace mase::passes {
namespace {

PassResult run_init_metadata(const ir::Graph& graph, const Options&, Context&) {
  return {.graph = init_metadata(graph)};
}

bool has_metadata(const ir::Graph& graph) {
  return std::all_of(graph.begin(), graph.end(),
                     [](const ir::Node& node) { return node.meta.common && node.meta.software; });
}

}  // namespace

ir::Graph init_metadata(ir::Graph graph) {
  graph.meta = {};
  for (ir::Node& node : graph.nodes_mut()) {
    node.meta = {.common = ir::CommonMeta{}, .software = ir::SoftwareMeta{}, .hardware = {}};
  }
  return graph;
}

const Pass kInitMetadata{
    .name = "init_metadata",
    .kind = PassKind::Analysis,
    .summary = "give every node empty metadata",
    .run = run_init_metadata,
    .done = has_metadata,
};

}  // namespace mase::passes
