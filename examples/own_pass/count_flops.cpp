// A pass of one's own: counts the floating-point operations of every layer. The same file makes a
// module for `ch transform --plugin libcount_flops.so` and a program with its own main.
#include <fmt/format.h>

#include <iostream>

#include "mase/data/dataset.h"
#include "mase/models/model.h"
#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/passes/plugin.h"

using namespace mase;
using passes::Options;

namespace {

// Operations of one layer for a batch of the shape that add_common_metadata recorded.
std::int64_t flops(const ir::Graph& graph, const ir::Node& node) {
  const ir::ArgumentMeta* input = ir::find(node.meta.common->args, "data_in_0");
  if (!input) return 0;
  const std::int64_t elements = ir::element_count(input->shape);
  if (node.op == "batch_norm1d") return 4 * elements;
  if (node.op == "relu") return elements;
  if (node.op == "linear") {
    const std::int64_t rows = elements / input->shape.back();
    return rows * graph.parameter_of(node, "weight")->value.size();
  }
  return 0;
}

passes::PassResult run(const ir::Graph& graph, const Options& options, passes::Context& context) {
  std::int64_t total = 0;
  ir::Dict by_node;
  for (const ir::Node& node : graph) {
    const std::int64_t count = flops(graph, node);
    if (count == 0 && !options.flag("all")) continue;
    context.output() << fmt::format("{:<16} {:<14} {:>8}\n", node.name, node.op, count);
    by_node.emplace_back(node.name, count);
    total += count;
  }
  context.output() << fmt::format("{:<31} {:>8}\n", "total", total);
  return {.graph = graph, .info = ir::Dict{{"nodes", by_node}, {"total", total}}, .hits = {}};
}

const passes::Pass kCountFlops{
    .name = "count_flops",
    .summary = "count the floating-point operations of every layer",
    .options = {{.name = "all",
                 .type = mase::FieldType::Bool,
                 .standard = false,
                 .help = "list nodes without operations, too"}},
    .needs = {"add_common_metadata"},
    .run = run,
};

}  // namespace

extern "C" const passes::PluginInfo* mase_plugin() {
  static const passes::PluginInfo kInfo{.name = "count_flops", .passes = {&kCountFlops, 1}};
  return &kInfo;
}

int main() {
  ir::Graph graph = models::build("jsc-tiny", data::info("jsc"));
  graph = passes::add_metadata(std::move(graph), {{"x", ir::Tensor({8, 16}, ir::DType::Float32)}});
  Diagnostics problems;
  const Options options = passes::check_options(kCountFlops, {}, {}, problems);
  passes::Context context{.out = &std::cout};
  passes::run_pass(kCountFlops, graph, options, context);
}
