#pragma once

#include <string>

#include "mase/passes/pass.h"

namespace mase::passes {

// The graph as a drawing: a box per node with its name, layer, number formats and, where the
// metadata know it, the shape of its result. Quantised nodes have a colour of their own.
std::string plot_svg(const ir::Graph& graph);
// The same as text for Graphviz, with the shapes along the edges.
std::string plot_dot(const ir::Graph& graph);

extern const Pass kPlotGraph;

}  // namespace mase::passes
