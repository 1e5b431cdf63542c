#pragma once

#include <string>

#include "mase/passes/pass.h"

namespace mase::passes {

// A table of every node's name, kind, MASE type and op, and the number format of its first input
// ("NA" if it has none). Needs add_common_metadata.
std::string report_node_type(const ir::Graph& graph);

extern const Pass kReportNodeType;

}  // namespace mase::passes
