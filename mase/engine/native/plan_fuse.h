#pragma once

#include "mase/engine/native/plan.h"

namespace mase::engine::native {

// Merges neighbouring steps that are element-wise, and moves activations behind poolings.
void fuse_steps(Plan& plan);

// Decides which values share the memory of their gradients, and which steps add to a gradient.
void plan_gradients(Plan& plan);

}  // namespace mase::engine::native
