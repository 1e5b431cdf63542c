// calculate_avg_bits: sum(elements * bits) / sum(elements) over the layers that own a weight.
#include "mase/passes/analysis/calculate_avg_bits.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "mase/ir/format_state.h"
#include "mase/ops/op.h"
#include "mase/support/table.h"

namespace mase::passes {
namespace {

bool has_quantisable_weight(const ir::Node& node) {
  const ops::Op* op = ops::find_op_of(node);
  return op && std::find(op->quantisable.begin(), op->quantisable.end(), "weight") !=
                   op->quantisable.end();
}

// Numerator and denominator of a weighted mean.
struct Mean {
  double bits = 0;
  double elements = 0;

  void add(const ir::Graph& graph, const ir::Node& node, std::string_view argument,
           const ir::Shape& shape) {
    const numerics::Precision* precision = node.precision_of(argument);
    const double count = static_cast<double>(ir::element_count(shape));
    bits += precision ? numerics::bits(*precision, ir::edge_of(graph, node, argument, shape))
                      : 32.0 * count;
    elements += count;
  }
  std::optional<double> value() const {
    return elements > 0 ? std::optional(bits / elements) : std::nullopt;
  }
};

Cell cell(const std::optional<double>& bits) {
  return bits ? Cell(*bits) : Cell();
}

PassResult run_calculate_avg_bits(const ir::Graph& graph, const Options&, Context& context) {
  const AverageBits bits = calculate_avg_bits(graph);
  if (!bits.data && !bits.weight) {
    context.log_warning("calculate_avg_bits: no layer with weights that could be quantised");
  } else {
    context.output() << format_table(
                            {"Tensor", "Average bits"},
                            {{"data_in_0", cell(bits.data)}, {"weight", cell(bits.weight)}},
                            {.style = TableStyle::Orgtbl})
                     << '\n';
  }
  return {.graph = graph, .info = bits.to_value(), .hits = {}};
}

}  // namespace

ir::Value AverageBits::to_value() const {
  const auto number = [](const std::optional<double>& v) {
    return v ? ir::Value(*v) : ir::Value();
  };
  return ir::Dict{{"data_avg_bit", number(data)}, {"w_avg_bit", number(weight)}};
}

AverageBits calculate_avg_bits(const ir::Graph& graph) {
  Mean data;
  Mean weight;
  for (const ir::Node& node : graph) {
    if (!has_quantisable_weight(node)) continue;
    const auto* args = node.meta.common ? &node.meta.common->args : nullptr;
    const ir::ArgumentMeta* input = args ? ir::find(*args, "data_in_0") : nullptr;
    if (!input) {
      usage_error("the shape of data_in_0 is not known", {.file = {}, .node = node.name},
                  "run add_common_metadata first");
    }
    data.add(graph, node, "data_in_0", input->shape);
    if (const ir::Parameter* parameter = graph.parameter_of(node, "weight")) {
      weight.add(graph, node, "weight", parameter->value.shape());
    }
  }
  return {.data = data.value(), .weight = weight.value()};
}

const Pass kCalculateAvgBits{
    .name = "calculate_avg_bits",
    .kind = PassKind::Analysis,
    .summary = "mean bits of the data and weights of layers with weights, by elements",
    .options = {},
    .needs = {"add_common_metadata"},
    .run = run_calculate_avg_bits,
};

}  // namespace mase::passes
