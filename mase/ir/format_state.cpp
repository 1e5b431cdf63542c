// The state of number formats as parameters of the graph.
#include "mase/ir/format_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mase/support/error.h"

namespace mase::ir {
namespace {

// What the format makes of its first sight of a tensor: one tensor per row of its state.
std::vector<Tensor> first_values(const numerics::Precision& precision, const numerics::Edge& edge,
                                 const Tensor& seen) {
  const Tensor values = seen.to(DType::Float32);
  std::vector<Tensor> tensors;
  std::vector<std::span<float>> spans;
  const Shape shape = precision.format->state_shape(precision, edge);
  for (std::size_t i = 0; i < precision.format->state.size(); ++i) {
    tensors.emplace_back(shape, DType::Float32);
  }
  for (Tensor& tensor : tensors) spans.push_back(tensor.values_mut<float>());
  precision.format->initialise(precision, edge, values.values<float>(), spans);
  return tensors;
}

void add_one(Graph& graph, const FormatState& state, const StateSources& sources) {
  if (graph.find_parameter(state.name)) return;
  if (const Tensor* known = sources.known ? sources.known(state.name) : nullptr) {
    graph.add_parameter({.name = state.name, .value = known->to(DType::Float32)});
    return;
  }
  const Node& node = graph.node(state.node);
  const Parameter* parameter = graph.parameter_of(node, state.argument);
  std::optional<Tensor> seen;
  if (parameter) {
    seen = parameter->value;
  } else if (sources.seen) {
    seen = sources.seen(node, state.argument);
  }
  if (!seen) {
    usage_error(fmt::format("{} of {} begins with what it sees of the data, and none are given",
                            state.precision->text(), state.argument),
                {.node = node.name}, "give a batch of inputs");
  }
  const numerics::Edge edge = edge_of(graph, node, state.argument, seen->shape());
  graph.add_parameter(
      {.name = state.name, .value = first_values(*state.precision, edge, *seen)[state.row]});
}

}  // namespace

std::string state_name(const Node& node, std::string_view argument, std::string_view state) {
  const std::string& owner = node.kind == NodeKind::CallModule ? node.target : node.name;
  return fmt::format("{}.{}_{}", owner, argument, state);
}

std::vector<FormatState> format_states(const Graph& graph) {
  std::vector<FormatState> out;
  std::set<std::string> names;
  for (const Node& node : graph) {
    for (const auto& [argument, configured] : node.precision) {
      const numerics::Precision* precision = node.precision_of(argument);
      if (!precision) continue;
      for (std::size_t row = 0; row < precision->format->state.size(); ++row) {
        std::string name = state_name(node, argument, precision->format->state[row].name);
        if (names.insert(name).second) {
          out.push_back({std::move(name), node.name, argument, precision, row});
        }
      }
    }
  }
  return out;
}

bool is_format_state(const Graph& graph, std::string_view parameter) {
  const std::vector<FormatState> states = format_states(graph);
  return std::any_of(states.begin(), states.end(),
                     [&](const FormatState& state) { return state.name == parameter; });
}

State float_state(const Graph& graph) {
  State state = graph.state();
  std::erase_if(state, [&](const auto& entry) { return is_format_state(graph, entry.first); });
  return state;
}

numerics::Edge edge_of(const Graph& graph, const Node& node, std::string_view argument,
                       Shape shape) {
  return graph.parameter_of(node, argument) ? numerics::parameter_edge(std::move(shape))
                                            : numerics::data_edge(std::move(shape));
}

FormatStateValues::FormatStateValues(const Graph& graph, const Node& node,
                                     std::string_view argument,
                                     const numerics::Precision& precision) {
  for (const numerics::StateRow& row : precision.format->state) {
    const std::string name = state_name(node, argument, row.name);
    const Parameter* parameter = graph.find_parameter(name);
    if (!parameter) internal_error(fmt::format("the graph lacks '{}'", name));
    tensors_.push_back(parameter->value);
  }
  for (const Tensor& tensor : tensors_) spans_.push_back(tensor.values<float>());
}

void add_format_states(Graph& graph, const StateSources& sources) {
  for (const FormatState& state : format_states(graph)) add_one(graph, state, sources);
}

}  // namespace mase::ir
