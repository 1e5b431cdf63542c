// report_flops: each op's own cost rules, applied to the types found by shape inference. BitOPs are
// computations times bits, as users of MASE define them.
#include "mase/passes/analysis/report_flops.h"

#include <algorithm>
#include <ostream>

#include "mase/ir/format_state.h"
#include "mase/passes/transform/quantize_config.h"
#include "mase/support/files.h"
#include "mase/support/table.h"

namespace mase::passes {
namespace {

// Bits of an element of an argument, with its part of what a block or channel shares.
double bits_of(const ops::Site& site, std::string_view argument) {
  const numerics::Precision* precision = site.node.precision_of(argument);
  if (!precision) return 32.0;
  const ir::Parameter* parameter = site.graph.parameter_of(site.node, argument);
  const ir::Shape& shape =
      parameter ? parameter->value.shape() : site.data(argument.ends_with("_1") ? 1 : 0).shape;
  return numerics::bits_per_element(*precision,
                                    ir::edge_of(site.graph, site.node, argument, shape));
}

// The bits that one computation of this node is multiplied by.
double bits_of(const ops::Site& site, const ops::Op& op) {
  if (!site.node.is_quantised()) return 32.0;
  double bits = 1;
  for (std::string_view argument : op.quantisable) {
    const std::string_view group = config_group(op, argument);
    if (argument == "data_in_0" || group == "weight") bits *= bits_of(site, argument);
  }
  return bits;
}

std::string layer_text(const ir::Node& node) {
  return node.kind == ir::NodeKind::CallModule ? ops::print_layer(node) : ops::type_text(node);
}

void add(NodeCost& total, const NodeCost& node) {
  total.cost.total_parameters += node.cost.total_parameters;
  total.cost.computations += node.cost.computations;
  total.cost.backward_computations += node.cost.backward_computations;
  total.cost.input_buffer_size += node.cost.input_buffer_size;
  total.cost.output_buffer_size += node.cost.output_buffer_size;
  total.cost.fractional = total.cost.fractional || node.cost.fractional;
  total.bitops += node.bitops;
}

// Counts are whole numbers; where the rule divides they are floats in users' results: 640.0.
ir::Value number(double value, bool fractional) {
  return fractional ? ir::Value(value) : ir::Value(static_cast<std::int64_t>(value));
}

ir::Dict row(const NodeCost& node) {
  const ops::Cost& cost = node.cost;
  return {{"node", node.node},
          {"layer", node.layer},
          {"total_parameters", number(cost.total_parameters, false)},
          {"computations", number(cost.computations, cost.fractional)},
          {"backward_computations", number(cost.backward_computations, cost.fractional)},
          {"input_buffer_size", number(cost.input_buffer_size, false)},
          {"output_buffer_size", number(cost.output_buffer_size, false)},
          {"bitops", number(node.bitops, cost.fractional)}};
}

PassResult run_report_flops(const ir::Graph& graph, const Options& options, Context& context) {
  const std::int64_t rows = options.find("batch_size") ? options.integer("batch_size") : 0;
  const ir::Value* wanted = options.find("convention");
  const FlopConvention convention =
      wanted && wanted->as_text() == "exact" ? FlopConvention::Exact : FlopConvention::Mase;
  const FlopReport report = report_flops(graph, recorded_inputs(graph, rows), convention);
  for (const std::string& node : report.uncounted) {
    context.log_warning("report_flops: no rule for " + node + ", it is not counted");
  }
  if (options.find("file_name")) {
    write_file(options.text("file_name"), report.table() + "\n");
  } else {
    context.output() << report.table() << '\n';
  }
  return {.graph = graph, .info = report.to_value(), .hits = {}};
}

}  // namespace

std::string FlopReport::table() const {
  std::vector<std::string> headers;
  std::vector<std::vector<Cell>> rows;
  std::vector<Align> align;
  const auto add_row = [&](const NodeCost& node) {
    std::vector<Cell> cells;
    headers.clear();
    align.clear();
    for (const auto& [key, value] : row(node)) {
      const bool text = value.is<std::string>();
      headers.push_back(key);
      align.push_back(text ? Align::Left : Align::Right);
      cells.emplace_back(text ? value.as_text() : ir::repr(value));
    }
    rows.push_back(std::move(cells));
  };
  for (const NodeCost& node : nodes) add_row(node);
  add_row(total);
  return format_table(headers, rows,
                      {.style = TableStyle::Orgtbl, .align = align, .text_as_given = true});
}

ir::Value FlopReport::to_value() const {
  ir::List layers;
  for (const NodeCost& node : nodes) layers.push_back(row(node));
  ir::List missing;
  for (const std::string& node : uncounted) missing.emplace_back(node);
  const bool fractional = total.cost.fractional;
  return ir::Dict{{"layers", std::move(layers)},
                  {"uncounted", std::move(missing)},
                  {"total", row(total)},
                  {"flops", number(total.cost.computations, fractional)},
                  {"bitops", number(total.bitops, fractional)}};
}

FlopReport report_flops(const ir::Graph& graph, const ir::Named<ops::TensorType>& inputs,
                        FlopConvention convention) {
  const ir::Named<ops::ValueType> types =
      ops::infer_types(graph, inputs.empty() ? recorded_inputs(graph) : inputs);
  FlopReport report;
  report.total.node = "total";
  for (const ir::Node& node : graph) {
    const ops::Op* op = ops::find_op_of(node);
    if (!op) continue;
    const auto rule =
        convention == FlopConvention::Exact && op->exact_cost ? op->exact_cost : op->cost;
    std::optional<ops::Cost> cost;
    const ops::Site site = ops::site_of(graph, node, types);
    if (rule) cost = rule(site, *ir::find(types, node.name));
    if (!cost) {
      report.uncounted.push_back(fmt::format("{} ({})", node.name, op->name));
      continue;
    }
    report.nodes.push_back({.node = node.name,
                            .layer = layer_text(node),
                            .cost = *cost,
                            .bitops = cost->computations * bits_of(site, *op)});
    add(report.total, report.nodes.back());
  }
  return report;
}

ir::Named<ops::TensorType> recorded_inputs(const ir::Graph& graph, std::int64_t batch_size) {
  ir::Named<ops::TensorType> inputs;
  for (const ir::Node& node : graph) {
    if (node.kind != ir::NodeKind::Placeholder) continue;
    const auto* results = node.meta.common ? &node.meta.common->results : nullptr;
    const ir::ArgumentMeta* result = results ? ir::find(*results, "data_out_0") : nullptr;
    if (!result) {
      usage_error("the shape of the input is not known", {.file = {}, .node = node.name},
                  "run add_common_metadata first");
    }
    ops::TensorType type{.shape = result->shape, .dtype = result->dtype};
    if (batch_size > 0 && !type.shape.empty()) type.shape[0] = batch_size;
    inputs.emplace_back(node.name, std::move(type));
  }
  return inputs;
}

const Pass kReportFlops{
    .name = "report_flops",
    .kind = PassKind::Analysis,
    .summary = "FLOPs, BitOPs, parameters and buffers of every layer and in total",
    .options = {{.name = "batch_size",
                 .type = FieldType::Int,
                 .standard = kOpen,
                 .low = 1,
                 .help = "rows of the batch that is counted; default: those of the metadata",
                 .example = "1"},
                {.name = "convention",
                 .type = FieldType::Text,
                 .standard = "mase",
                 .choices = {"mase", "exact"},
                 .help = "\"mase\" counts multiply-adds of weights: no biases, and every output of "
                         "a convolution as if there were no groups; \"exact\" counts biases and "
                         "groups as they are"},
                {.name = "file_name",
                 .type = FieldType::Path,
                 .standard = kOpen,
                 .help = "write the table here instead of to standard output",
                 .example = "\"flops.txt\""}},
    .needs = {"add_common_metadata"},
    .run = run_report_flops,
};

}  // namespace mase::passes
