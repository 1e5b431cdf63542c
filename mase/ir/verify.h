#pragma once

#include <vector>

#include "mase/ir/graph.h"
#include "mase/support/diagnostics.h"

namespace mase::ir {

// What is wrong with the shape of a graph, whatever its ops mean: names that are missing, taken or
// no names, nodes that read what is not computed before them, outputs other than exactly one at the
// end, parameters without a value or named twice, get_attr nodes without a parameter. Empty = fine.
// ops/verify.h checks the ops as well.
std::vector<Problem> verify_structure(const Graph& graph);

}  // namespace mase::ir
