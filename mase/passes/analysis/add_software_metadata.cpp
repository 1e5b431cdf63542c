// add_software_metadata: tables for statistics and the like, by the ops' argument rows.
#include "mase/passes/analysis/add_software_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mase/ops/op.h"

namespace mase::passes {
namespace {

// A counter, not a statistic of the data.
constexpr std::string_view kBatchCounter = "num_batches_tracked";

// The i-th node that a call reads: parameters of a layer-like function keep their names.
std::string argument_name(const ops::Op* op, std::size_t i) {
  if (op != nullptr && i < op->arguments.size() && op->arguments[i].role != ops::Role::Data) {
    return std::string(op->arguments[i].name);
  }
  return fmt::format("data_in_{}", i);
}

void add_layer_arguments(ir::SoftwareMeta& software, const ir::Graph& graph, const ir::Node& node) {
  for (const ops::Argument& argument : ops::op_of(node).arguments) {
    const bool owned = argument.role != ops::Role::Data;
    if (argument.name == kBatchCounter) continue;
    if (owned && graph.parameter_of(node, argument.name) == nullptr) continue;
    software.args.emplace_back(std::string(argument.name), ir::SoftwareEntry{});
  }
}

PassResult run_add_software_metadata(const ir::Graph& graph, const Options&, Context&) {
  return {.graph = add_software_metadata(graph)};
}

bool has_software_metadata(const ir::Graph& graph) {
  return std::all_of(graph.begin(), graph.end(), [](const ir::Node& node) {
    return node.meta.software && (node.meta.software->has_args || node.meta.software->has_results);
  });
}

}  // namespace

ir::SoftwareMeta software_tables(const ir::Graph& graph, const ir::Node& node) {
  ir::SoftwareMeta software;
  const bool is_source =
      node.kind == ir::NodeKind::Placeholder || node.kind == ir::NodeKind::GetAttr;
  software.has_args = !is_source;
  if (node.kind == ir::NodeKind::CallModule) {
    add_layer_arguments(software, graph, node);
  } else if (!is_source) {
    const ops::Op* op = node.kind == ir::NodeKind::Output ? nullptr : ops::find_op_of(node);
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      software.args.emplace_back(argument_name(op, i), ir::SoftwareEntry{});
    }
  }
  // Where the result is a plain number, as of `size`, there is nothing to collect.
  const bool plain = node.meta.common && !node.meta.common->results.empty() &&
                     node.meta.common->results[0].second.kind == ir::ArgumentMeta::Kind::Other;
  software.has_results = node.kind != ir::NodeKind::Output && !plain;
  if (software.has_results) software.results.emplace_back("data_out_0", ir::SoftwareEntry{});
  return software;
}

ir::Graph add_software_metadata(ir::Graph graph) {
  for (ir::Node& node : graph.nodes_mut()) node.meta.software = software_tables(graph, node);
  return graph;
}

const Pass kAddSoftwareMetadata{
    .name = "add_software_metadata",
    .kind = PassKind::Analysis,
    .summary = "give every argument and result an empty table of statistics",
    .needs = {"add_common_metadata"},
    .run = run_add_software_metadata,
    .done = has_software_metadata,
};

}  // namespace mase::passes
