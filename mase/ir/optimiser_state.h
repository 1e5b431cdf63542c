#pragma once

#include <string>
#include <vector>

#include "mase/ir/metadata.h"
#include "mase/ir/tensor.h"

namespace mase::ir {

// An optimiser's memory of one parameter, under PyTorch's names: Adam and AdamW keep exp_avg and
// exp_avg_sq (and count steps), SGD keeps momentum_buffer.
struct OptimiserSlot {
  std::string parameter;
  double step = 0;
  Named<Tensor> tensors;
};
using OptimiserState = std::vector<OptimiserSlot>;

}  // namespace mase::ir
