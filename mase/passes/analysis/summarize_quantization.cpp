// summarize_quantization: nodes of the two graphs side by side, then counted by original type.
#include "mase/passes/analysis/summarize_quantization.h"

#include <algorithm>
#include <map>

#include "mase/ops/op.h"
#include "mase/support/files.h"
#include "mase/support/table.h"

namespace mase::passes {
namespace {

std::string type_of(const ir::Node& node) {
  const std::string& known = ir::mase_type(node);
  return known.empty() ? std::string(ops::name(ops::kind_of(node))) : known;
}

// "integer(8, 4) for data_in_0, weight; integer(16, 8) for bias".
std::string formats(const ir::Node& node) {
  ir::Named<std::string> arguments;  // by format, in order of first use
  for (const auto& [argument, precision] : node.precision) {
    if (precision.is_float()) continue;
    std::string* same = ir::find(arguments, precision.text());
    if (same) {
      *same += ", " + argument;
    } else {
      arguments.emplace_back(precision.text(), argument);
    }
  }
  std::string text;
  for (const auto& [format, names] : arguments) {
    text += fmt::format("{}{} for {}", text.empty() ? "" : "; ", format, names);
  }
  return text;
}

// Why a node is as it is, from what the quantise pass left on it.
std::string why(const ir::Node& original, const ir::Node& node) {
  if (original.is_quantised()) return "quantised before: " + formats(original);
  if (node.is_quantised()) return formats(node);
  const ops::Op* op = ops::find_op_of(node);
  if (!op) return "no operation";
  if (op->quantisable.empty()) return fmt::format("op '{}' is not quantisable", op->name);
  if (node.bypass) return "its rule says bypass = true";
  if (!node.precision.empty()) return "its rule says name = \"NA\"";
  if (node.kind == ir::NodeKind::CallMethod) return "methods are not quantisable";
  return "no rule selects it";
}

std::vector<TypeCount> count_types(const std::vector<NodeComparison>& nodes) {
  std::map<std::string, TypeCount> types;
  for (const NodeComparison& node : nodes) {
    TypeCount& count = types[node.original_type];
    if (count.total == 0) {
      count.original_type = node.original_type;
      count.mase_op = node.mase_op;
    }
    ++count.total;
    ++(node.changed ? count.changed : count.unchanged);
  }
  std::vector<TypeCount> out;
  for (auto& [type, count] : types) out.push_back(std::move(count));
  return out;
}

std::string quoted(const std::string& cell) {
  if (cell.find_first_of(",\"\n") == std::string::npos) return cell;
  std::string out = "\"";
  for (char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) line += (i ? "," : "") + quoted(cells[i]);
  return line + "\n";
}

std::vector<std::string> columns() {
  return {"Ori name",      "New name",       "MASE_TYPE", "Mase_OP",
          "Original type", "Quantized type", "Changed"};
}

std::vector<std::string> cells(const NodeComparison& node) {
  return {node.original_name,
          node.name,
          node.mase_type,
          node.mase_op,
          node.original_type,
          node.quantised_type,
          node.changed ? "True" : "False"};
}

std::string reasons_csv(const std::vector<NodeComparison>& nodes) {
  std::string out = "New name,Original type,Quantized type,Why\n";
  for (const NodeComparison& node : nodes) {
    out += csv_line({node.name, node.original_type, node.quantised_type, node.why});
  }
  return out;
}

PassResult run_summarize_quantization(const ir::Graph& graph, const Options& options,
                                      Context& context) {
  if (!context.original) {
    usage_error("summarize_quantization compares with the graph before quantize", options.where(),
                "put it after [passes.quantize]");
  }
  const QuantizationSummary summary = summarize_quantization(*context.original, graph);
  // Node by node is what this pass is for; quantize leaves it to the debug log, as the original.
  context.print_report("Compare nodes:", summary.node_table());
  context.print_report("Quantized graph histogram:", summary.histogram_table());
  if (options.find("save_dir")) save_summary(summary, options.text("save_dir"));
  return {.graph = graph, .info = summary.to_value(), .hits = {}};
}

}  // namespace

QuantizationSummary summarize_quantization(const ir::Graph& original, const ir::Graph& graph) {
  QuantizationSummary summary;
  for (const auto& [before, after] : ir::zip(original, graph)) {
    NodeComparison node{.original_name = before->name,
                        .name = after->name,
                        .mase_type = type_of(*after),
                        .mase_op = ir::mase_op(*after),
                        .original_type = ops::type_text(*before),
                        .quantised_type = ops::type_text(*after),
                        .why = why(*before, *after)};
    node.changed = node.original_type != node.quantised_type;
    summary.nodes.push_back(std::move(node));
  }
  summary.histogram = count_types(summary.nodes);
  return summary;
}

std::string QuantizationSummary::node_table() const {
  std::vector<std::string> headers = columns();
  headers.emplace_back("Why");
  std::vector<std::vector<Cell>> rows;
  for (const NodeComparison& node : nodes) {
    std::vector<Cell> row;
    for (std::string& cell : cells(node)) row.emplace_back(std::move(cell));
    row.emplace_back(node.why);
    rows.push_back(std::move(row));
  }
  return format_table(headers, rows, {.style = TableStyle::Orgtbl});
}

std::string QuantizationSummary::histogram_table() const {
  std::vector<std::vector<Cell>> rows;
  for (const TypeCount& type : histogram) {
    rows.push_back({type.original_type, type.mase_op, type.total, type.changed, type.unchanged});
  }
  return format_table({"Original type", "OP", "Total", "Changed", "Unchanged"}, rows,
                      {.style = TableStyle::Orgtbl});
}

std::string QuantizationSummary::text() const {
  return node_table() + "\n\n" + histogram_table();
}

std::string QuantizationSummary::node_csv() const {
  std::vector<std::string> line = columns();
  line.insert(line.begin(), "");
  std::string out = csv_line(line);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    line = cells(nodes[i]);
    line.insert(line.begin(), std::to_string(i));
    out += csv_line(line);
  }
  return out;
}

std::string QuantizationSummary::histogram_csv() const {
  std::string out = "Original type,OP,Total,Changed,Unchanged\n";
  for (const TypeCount& type : histogram) {
    out += csv_line({type.original_type, type.mase_op, std::to_string(type.total),
                     std::to_string(type.changed), std::to_string(type.unchanged)});
  }
  return out;
}

ir::Value QuantizationSummary::to_value() const {
  ir::List node_list;
  for (const NodeComparison& node : nodes) {
    node_list.push_back(ir::Dict{{"original_name", node.original_name},
                                 {"name", node.name},
                                 {"mase_type", node.mase_type},
                                 {"mase_op", node.mase_op},
                                 {"original_type", node.original_type},
                                 {"quantized_type", node.quantised_type},
                                 {"changed", node.changed},
                                 {"why", node.why}});
  }
  ir::List types;
  for (const TypeCount& type : histogram) {
    types.push_back(ir::Dict{{"original_type", type.original_type},
                             {"op", type.mase_op},
                             {"total", type.total},
                             {"changed", type.changed},
                             {"unchanged", type.unchanged}});
  }
  return ir::Dict{{"nodes", std::move(node_list)}, {"histogram", std::move(types)}};
}

void save_summary(const QuantizationSummary& summary, const std::filesystem::path& folder) {
  create_folder(folder);
  write_file(folder / "quantize_table.csv", summary.node_csv());
  write_file(folder / "quantize_histogram.csv", summary.histogram_csv());
  write_file(folder / "quantize_reasons.csv", reasons_csv(summary.nodes));
}

void print_summary(const QuantizationSummary& summary, const Context& context) {
  context.log_debug("Compare nodes:");
  context.log_debug("\n" + summary.node_table());
  context.print_report("Quantized graph histogram:", summary.histogram_table());
}

const Pass kSummarizeQuantization{
    .name = "summarize_quantization",
    .kind = PassKind::Analysis,
    .summary =
        "what the last quantize changed, node by node and by type, and why other nodes were "
        "left alone",
    .options = {{.name = "save_dir",
                 .type = FieldType::Path,
                 .standard = kOpen,
                 .help = "folder for quantize_table.csv, quantize_histogram.csv and "
                         "quantize_reasons.csv",
                 .example = "\"summary\""}},
    .run = run_summarize_quantization,
};

}  // namespace mase::passes
