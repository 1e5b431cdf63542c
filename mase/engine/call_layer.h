#pragma once

#include <span>
#include <string_view>

#include "mase/engine/engine.h"
#include "mase/ir/graph.h"
#include "mase/ir/tensor.h"

namespace mase::engine {

// What one node of a graph makes of tensors of the user's own: its parameters, its number formats,
// nothing else of the graph. `inputs`: a tensor for each node that it reads, in the order of
// Node::inputs(). Evaluation mode; `engine` as in choose(). Error{Usage} at the node if the number
// of tensors or their shapes do not fit, or if it computes nothing (a placeholder, the output).
ir::Tensor call_layer(const ir::Graph& graph, const ir::Node& node,
                      std::span<const ir::Tensor> inputs, std::string_view engine = "auto");
// The same for a node that reads one: call_layer(graph, graph.node("seq_blocks_2"), row).
ir::Tensor call_layer(const ir::Graph& graph, const ir::Node& node, const ir::Tensor& input,
                      std::string_view engine = "auto");

}  // namespace mase::engine
