#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/ir/graph.h"

// What number formats keep of the tensors that they are put on (a learned step) are parameters of
// the graph: named <owner>.<argument>_<state>, after the layer, or after the node where it is none.
namespace mase::ir {

// "seq_blocks.2.weight_step".
std::string state_name(const Node& node, std::string_view argument, std::string_view state);

struct FormatState {
  std::string name;                                // of the parameter
  std::string node;                                // whose format it belongs to
  std::string argument;                            // "weight"
  const numerics::Precision* precision = nullptr;  // the node's
  std::size_t row = 0;                             // into Format::state
};
// All that the formats of a graph need, in the order of nodes and arguments, those of a layer that
// is called several times once. Points into the graph.
std::vector<FormatState> format_states(const Graph& graph);
bool is_format_state(const Graph& graph, std::string_view parameter);
// The state dictionary of the float network: without what formats have learned.
State float_state(const Graph& graph);

// The edge of a node's argument whose tensor has this shape, without its state.
numerics::Edge edge_of(const Graph& graph, const Node& node, std::string_view argument,
                       Shape shape);

// The values of the state of one argument's format, in the order of its rows; empty where it has
// none. Error{Internal} if the graph lacks one.
class FormatStateValues {
 public:
  FormatStateValues(const Graph& graph, const Node& node, std::string_view argument,
                    const numerics::Precision& precision);
  std::span<const std::span<const float>> spans() const { return spans_; }

 private:
  std::vector<Tensor> tensors_;
  std::vector<std::span<const float>> spans_;
};

// Where a state's first values come from: a tensor of that name (of a checkpoint), or else what
// flowed through the argument. Parameters of the graph are known by themselves.
struct StateSources {
  std::function<const Tensor*(const std::string& name)> known = nullptr;
  std::function<std::optional<Tensor>(const Node&, std::string_view argument)> seen = nullptr;
};
// Adds the parameters that are not there yet. Throws Error{Usage} at the node whose state nothing
// gives first values.
void add_format_states(Graph& graph, const StateSources& sources);

}  // namespace mase::ir
