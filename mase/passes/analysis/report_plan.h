#pragma once

#include <string>

#include "mase/passes/pass.h"

namespace mase::passes {

// What an engine makes of the graph for a batch of these inputs, by placeholder: its steps, what
// they read and give, where training has to look at the whole batch, what a sample takes of memory,
// and which layers are evaluated with integers or why not. Begins with the engine and its version.
std::string report_plan(const ir::Graph& graph, const ir::Named<ir::Tensor>& inputs,
                        std::string_view engine = "auto");

extern const Pass kReportPlan;

}  // namespace mase::passes
