#pragma once

#include <ATen/ATen.h>

#include <span>
#include <string>
#include <vector>

#include "mase/engine/engine.h"

// Adam, AdamW and SGD with PyTorch's formulas, written out as one pass per parameter: at these
// network sizes torch::optim spends more time starting its dozen tensor operations than on the
// numbers.
namespace mase::engine::torch_engine {

// A trained parameter as the optimiser sees it; its gradient is in `value.grad()`.
struct Trained {
  std::string name;
  at::Tensor value;
};

class Optimiser {
 public:
  // Forgets what it remembers of earlier steps.
  void set_options(const OptimiserOptions& options, std::span<const Trained> parameters);
  void set_learning_rate(double rate) { options_.learning_rate = rate; }
  bool ready() const { return ready_; }

  // One update of every parameter that has a gradient, which is dropped afterwards.
  void step(std::span<const Trained> parameters);

  // Slots of the parameters that have been updated, in their order.
  ir::OptimiserState state(std::span<const Trained> parameters) const;
  // Throws Error{Usage} for an unknown parameter, another shape or another kind of optimiser.
  void load(const ir::OptimiserState& state, std::span<const Trained> parameters);

 private:
  struct Memory {
    double step = 0;
    at::Tensor first;   // exp_avg or momentum_buffer; undefined before the first update
    at::Tensor second;  // exp_avg_sq
  };
  template <typename T>
  void update(const at::Tensor& value, const at::Tensor& gradient, Memory& memory);

  OptimiserOptions options_;
  std::vector<Memory> memories_;
  bool ready_ = false;
};

}  // namespace mase::engine::torch_engine
