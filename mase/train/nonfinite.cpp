// The origin of a NaN loss: the first result in execution order that is not finite.
#include "mase/train/nonfinite.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace mase::train {
namespace {

struct Count {
  std::int64_t nan = 0;
  std::int64_t infinite = 0;
  bool any() const { return nan + infinite > 0; }
  std::string text() const {
    if (infinite == 0) return fmt::format("{} nan", nan);
    if (nan == 0) return fmt::format("{} inf", infinite);
    return fmt::format("{} nan and {} inf", nan, infinite);
  }
};

Count count_nonfinite(const ir::Tensor& tensor) {
  Count count;
  if (!tensor.defined() || !ir::is_floating(tensor.dtype())) return count;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const double value = tensor.at(i);
    if (std::isnan(value)) ++count.nan;
    if (std::isinf(value)) ++count.infinite;
  }
  return count;
}

// Parameters of a layer stand under its path: "seq_blocks.2.weight".
std::string bad_parameters(const ir::Node& node, const ir::State& state) {
  if (node.kind != ir::NodeKind::CallModule && node.kind != ir::NodeKind::GetAttr) return "";
  const std::string prefix = node.target + ".";
  std::string text;
  for (const auto& [name, value] : state) {
    if (name != node.target && !name.starts_with(prefix)) continue;
    const Count count = count_nonfinite(value);
    if (!count.any()) continue;
    const std::string argument = name == node.target ? name : name.substr(prefix.size());
    text += fmt::format("{}its {} holds {} of {} values", text.empty() ? "" : ", ", argument,
                        count.text(), value.size());
  }
  return text;
}

}  // namespace

NonFinite find_nonfinite(const ir::Graph& graph, engine::Program& program, const data::Split& split,
                         std::span<const std::uint32_t> rows, engine::Mode mode) {
  return find_nonfinite(graph, program, data::take(split, rows).features, mode);
}

NonFinite find_nonfinite(const ir::Graph& graph, engine::Program& program,
                         const ir::Tensor& features, engine::Mode mode) {
  const std::array<ir::Tensor, 1> inputs{features};
  const ir::Named<ir::Value> results = program.capture_results(inputs, mode);
  const ir::State state = program.state();
  for (const ir::Node& node : graph) {
    const ir::Value* value = ir::find(results, node.name);
    const ir::Tensor* tensor = value ? value->get<ir::Tensor>() : nullptr;
    if (node.kind == ir::NodeKind::Placeholder && !tensor) tensor = &features;
    if (!tensor) continue;
    const Count count = count_nonfinite(*tensor);
    if (!count.any()) continue;
    if (node.kind == ir::NodeKind::Placeholder) {
      return {node.name, fmt::format("the data: {} among the {} input values of the batch",
                                     count.text(), tensor->size())};
    }
    const std::string parameters = bad_parameters(node, state);
    const std::string why =
        parameters.empty() ? "its inputs and parameters are finite" : parameters;
    return {node.name, fmt::format("node {} ({}): {} among its {} results; {}", node.name, node.op,
                                   count.text(), tensor->size(), why)};
  }
  return {"", "every layer's result is finite: the cross entropy of the logits is not"};
}

}  // namespace mase::train
