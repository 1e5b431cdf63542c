// A plug-in with one pass, which counts nodes.
#include "mase/passes/plugin.h"

namespace {

using namespace mase::passes;

PassResult run(const mase::ir::Graph& graph, const Options& options, Context&) {
  const auto nodes = static_cast<std::int64_t>(graph.nodes().size());
  return {.graph = graph, .info = nodes * options.integer("times"), .hits = {}};
}

const Pass kPass{.name = "count_nodes",
                 .summary = "how many nodes",
                 .options = {{.name = "times", .type = mase::FieldType::Int, .standard = 1}},
                 .run = run};

}  // namespace

extern "C" const PluginInfo* mase_plugin() {
  static const PluginInfo kInfo{.name = "good", .passes = {&kPass, 1}};
  return &kInfo;
}
