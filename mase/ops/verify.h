#pragma once

#include <vector>

#include "mase/ir/graph.h"
#include "mase/support/diagnostics.h"

namespace mase::ops {

// What is wrong with a graph: ir::verify_structure, and for every call whether its op is known and
// may be called that way, its attributes are complete and in range, its layer's parameters are
// there with their shapes and types, and only quantisable arguments carry a number format. Empty =
// fine.
std::vector<Problem> verify(const ir::Graph& graph);

// Throws Error{CheckFailed} listing what verify finds; `after` says what made the graph ("pass
// quantize").
void check(const ir::Graph& graph, std::string_view after);

}  // namespace mase::ops
