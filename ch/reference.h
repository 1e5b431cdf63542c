#pragma once

#include <string>

#include "mase/numerics/format.h"
#include "mase/ops/op.h"
#include "mase/passes/pass.h"

// What `ch help` says of the rows of the library's tables, wrapped to `width` columns, with
// examples to copy.
namespace ch {

std::string reference_of(const mase::passes::Pass& pass, int width);
std::string reference_of(const mase::numerics::Format& format, int width);
std::string reference_of(const mase::ops::Op& op, int width);

// A layer of this op as model files have it, "Linear(in_features=16, out_features=8)": what must be
// given, with values that go together. Empty if the op is no layer.
std::string example_layer(const mase::ops::Op& op);

}  // namespace ch
