// report_node_type: what every node is, as a table.
#include "mase/passes/analysis/report_node_type.h"

#include "mase/support/table.h"

namespace mase::passes {
namespace {

std::string value_type(const ir::Node& node) {
  const ir::ArgumentMeta* data = ir::find(node.meta.common->args, "data_in_0");
  return data == nullptr ? "NA" : data->type;
}

PassResult run_report_node_type(const ir::Graph& graph, const Options&, Context& context) {
  context.print_report("Inspecting graph [add_common_node_type_analysis_pass]",
                       report_node_type(graph));
  ir::List rows;
  for (const ir::Node& node : graph) {
    rows.push_back(ir::Dict{{"name", node.name},
                            {"kind", ir::name(node.kind)},
                            {"mase_type", ir::mase_type(node)},
                            {"mase_op", ir::mase_op(node)},
                            {"value_type", value_type(node)}});
  }
  return {.graph = graph, .info = std::move(rows)};
}

}  // namespace

std::string report_node_type(const ir::Graph& graph) {
  std::vector<std::vector<Cell>> rows;
  for (const ir::Node& node : graph) {
    rows.push_back({node.name, std::string(ir::name(node.kind)), ir::mase_type(node),
                    ir::mase_op(node), value_type(node)});
  }
  return format_table({"Node name", "Fx Node op", "Mase type", "Mase op", "Value type"}, rows);
}

const Pass kReportNodeType{
    .name = "report_node_type",
    .kind = PassKind::Analysis,
    .summary = "print every node's kind, type, op and number format",
    .needs = {"add_common_metadata"},
    .run = run_report_node_type,
};

}  // namespace mase::passes
