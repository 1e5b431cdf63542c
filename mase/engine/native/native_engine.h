#pragma once

#include "mase/engine/engine.h"

namespace mase::engine::native {

// The fused CPU engine for the networks this tool exists for: linear layers, batch norms,
// activations and element-wise arithmetic on [batch, features], in float32 with element-wise
// number formats. One thread per program; run several programs to use several cores.
const Engine& native_engine();

}  // namespace mase::engine::native
