#pragma once

#include <span>
#include <string>

#include "mase/engine/native/segments.h"

namespace mase::engine::native {

// A plan as text: its steps with the values they read and give, the segments of a training step,
// what a sample takes of memory, and the remarks of the integer program on each linear layer.
std::string explain(const Plan& plan, const Segments& segments, const MemoryPlan& memory,
                    std::span<const std::string> integers);

}  // namespace mase::engine::native
