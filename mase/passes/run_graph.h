#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/ir/graph.h"

// What analyses share that run data through a graph.
namespace mase::passes {

// The graph compiled by the wanted engine ("auto": the first that can), its inputs typed by these
// where they are not.
std::unique_ptr<engine::Program> compile(const ir::Graph& graph, std::string_view engine,
                                         std::span<const ir::Tensor> inputs);

// The placeholders' values in the order of the graph. Throws Error{Usage} for a placeholder without
// a value, and for a value without a placeholder, with the nearest name.
std::vector<ir::Tensor> inputs_in_order(const ir::Graph& graph,
                                        const ir::Named<ir::Tensor>& values);

}  // namespace mase::passes
