#pragma once

#include "mase/engine/engine.h"
#include "mase/ir/graph.h"

namespace mase::engine {

// What an engine is given to go on with, checked: every slot is of a parameter in `trained` (names
// and shapes), holds exactly what this optimiser remembers, in the parameter's shape, and there is
// one slot at most for each. Slots without tensors are as good as none. Throws Error{Usage} that
// names the parameter and what it was found to hold: another optimiser's memory (AMSGrad's maximum,
// say) is never taken for this one's.
void check_memory(const ir::OptimiserState& state, const OptimiserOptions& options,
                  const ir::Named<ir::Shape>& trained);

}  // namespace mase::engine
