#pragma once

#include "mase/passes/pass.h"

namespace mase::passes {

// Gives every node empty metadata; what was there is dropped.
ir::Graph init_metadata(ir::Graph graph);

extern const Pass kInitMetadata;

}  // namespace mase::passes
