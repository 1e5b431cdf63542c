#pragma once

#include <ATen/ATen.h>

#include "mase/numerics/format.h"

// Fake quantisation of one edge of the graph.
namespace mase::engine::torch_engine {

// Values rounded to the format by its kernel in mase::numerics, so the bits are those of every
// other engine and export; double tensors of an `integer` edge are rounded in double precision.
// The gradient passes unchanged, also outside the format's range. A float precision returns `x`.
at::Tensor fake_quantise(const at::Tensor& x, const numerics::Precision& precision);

// Why this engine cannot put `precision` on an edge; "" if it can.
std::string why_not_quantise(const numerics::Precision& precision);

}  // namespace mase::engine::torch_engine
