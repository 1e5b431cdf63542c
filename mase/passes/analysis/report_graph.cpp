// report_graph: the graph as text.
#include "mase/passes/analysis/report_graph.h"

#include <fmt/format.h>

#include <array>
#include <ostream>

#include "mase/ops/op.h"
#include "mase/support/files.h"
#include "mase/support/table.h"

namespace mase::passes {
namespace {

constexpr std::array kKinds{ir::NodeKind::Placeholder,  ir::NodeKind::GetAttr,
                            ir::NodeKind::CallFunction, ir::NodeKind::CallMethod,
                            ir::NodeKind::CallModule,   ir::NodeKind::Output};

ir::Dict counts_of(const ir::Graph& graph) {
  ir::Dict counts;
  for (const ir::NodeKind kind : kKinds) {
    std::int64_t count = 0;
    for (const ir::Node& node : graph) count += node.kind == kind ? 1 : 0;
    counts.emplace_back(std::string(ir::name(kind)), count);
  }
  return counts;
}

std::vector<std::string> layers_of(const ir::Graph& graph) {
  std::vector<std::string> layers;
  for (const ir::Node& node : graph) {
    if (node.kind == ir::NodeKind::CallModule) layers.push_back(ops::print_layer(node));
  }
  return layers;
}

std::string overview(const ir::Graph& graph) {
  return fmt::format("Network overview:\n{}\nLayer types:\n[{}]\n", ir::repr(counts_of(graph)),
                     fmt::join(layers_of(graph), ", "));
}

std::string node_table(const ir::Graph& graph) {
  std::vector<std::vector<Cell>> rows;
  for (const ir::Node& node : graph) {
    rows.push_back({std::string(ir::name(node.kind)), node.name, node.target,
                    ir::repr(ir::Tuple{node.args}), ir::repr(node.kwargs)});
  }
  return format_table({"opcode", "name", "target", "args", "kwargs"}, rows);
}

std::string heading(std::string_view title) {
  const std::string rule(21, '=');
  return fmt::format("{} {} {}\n", rule, title, rule);
}

PassResult run_report_graph(const ir::Graph& graph, const Options& options, Context& context) {
  const bool full = options.text("style") == "full";
  const std::string text = report_graph(
      graph, {full ? ReportGraphOptions::Style::Full : ReportGraphOptions::Style::Classic});
  if (const ir::Value* file = options.find("file_name")) {
    write_file(file->as_text(), text);
    context.log_info(fmt::format("Graph report is saved to {}", file->as_text()));
  } else {
    context.output() << text;
    if (!context.folder.empty()) write_file(context.folder / "report_graph.txt", text);
  }
  ir::List layers;
  for (std::string& layer : layers_of(graph)) layers.emplace_back(std::move(layer));
  return {.graph = graph,
          .info = ir::Dict{{"graph", ir::print(graph)},
                           {"counts", counts_of(graph)},
                           {"layers", std::move(layers)}}};
}

}  // namespace

std::string report_graph(const ir::Graph& graph, const ReportGraphOptions& options) {
  if (options.style == ReportGraphOptions::Style::Classic) {
    return ir::print(graph) + "\n" + overview(graph);
  }
  return fmt::format("Graph Analysis Report\n\n{}{}\n\n{}{}\n\n{}{}", heading("Graph Summary"),
                     node_table(graph), heading("Graph Syntax"), ir::print(graph),
                     heading("Graph Overview"), overview(graph));
}

const Pass kReportGraph{
    .name = "report_graph",
    .kind = PassKind::Analysis,
    .summary = "print the graph, counts of node kinds, and layers",
    .options = {{.name = "file_name",
                 .type = FieldType::Path,
                 .standard = kOpen,
                 .help = "write there instead of to standard output",
                 .example = "\"graph.txt\""},
                {.name = "style",
                 .type = FieldType::Text,
                 .standard = "classic",
                 .choices = {"classic", "full"},
                 .help = "full: with headings and a table of all nodes"}},
    .run = run_report_graph,
};

}  // namespace mase::passes
