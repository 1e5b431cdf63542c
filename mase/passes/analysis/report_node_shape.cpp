// report_node_shape: what goes in and out of every node.
#include "mase/passes/analysis/report_node_shape.h"

#include <fmt/format.h>

#include <ostream>

#include "mase/passes/analysis/metadata_text.h"

namespace mase::passes {
namespace {

ir::Dict shapes(const ir::Named<ir::ArgumentMeta>& entries) {
  ir::Dict out;
  for (const auto& [name, entry] : entries) {
    const bool has_shape = entry.kind != ir::ArgumentMeta::Kind::Constant;
    out.emplace_back(name, has_shape ? ir::Value::list(entry.shape) : entry.constant);
  }
  return out;
}

PassResult run_report_node_shape(const ir::Graph& graph, const Options&, Context& context) {
  std::string names;
  ir::Dict info;
  for (const ir::Node& node : graph) {
    names += node.name + "\n";
    info.emplace_back(node.name, ir::Dict{{"in", shapes(node.meta.common->args)},
                                          {"out", shapes(node.meta.common->results)}});
  }
  context.print_report("Inspecting graph [add_common_node_shape_analysis_pass]",
                       names + report_node_shape(graph));
  return {.graph = graph, .info = std::move(info)};
}

}  // namespace

std::string report_node_shape(const ir::Graph& graph) {
  std::string text;
  for (const ir::Node& node : graph) {
    text += node.name + ":\nin:\n";
    for (const auto& [name, entry] : node.meta.common->args) {
      text +=
          fmt::format("{} = {}\n", name,
                      is_data_argument(name) ? ir::text(entry.shape) : ir::repr(printable(entry)));
    }
    text += "out:\n";
    for (const auto& [name, entry] : node.meta.common->results) {
      text += fmt::format("{} = {}\n", name, ir::text(entry.shape));
    }
    text += "\n";
  }
  return text;
}

const Pass kReportNodeShape{
    .name = "report_node_shape",
    .kind = PassKind::Analysis,
    .summary = "print the shapes of every node's arguments and results",
    .needs = {"add_common_metadata"},
    .run = run_report_node_shape,
};

}  // namespace mase::passes
