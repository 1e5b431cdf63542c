#pragma once

#include <string>

#include "mase/passes/pass.h"

namespace mase::passes {

// The shapes of what goes into and comes out of every node; of parameters the whole entry. Ends
// with an empty line. Needs add_common_metadata.
std::string report_node_shape(const ir::Graph& graph);

extern const Pass kReportNodeShape;

}  // namespace mase::passes
