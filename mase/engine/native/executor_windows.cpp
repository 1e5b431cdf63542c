// Convolutions and poolings of the tile interpreter, one group of channels at a time.
#include <algorithm>

#include "mase/engine/native/executor.h"

namespace mase::engine::native {

void Executor::forward_windows(int index, int tile, int n) {
  const PlanStep& step = plan_.steps[index];
  const PlanWindows& plan = plan_.windows[step.windows];
  const float* x = value(step.a, tile);
  float* y = value(step.out, tile);
  const std::int64_t in_group = std::int64_t{plan.channels} * plan.in_area * stride_;
  const std::int64_t out_group = std::int64_t{plan.results} * plan.out_area * stride_;
  const std::int64_t row = std::int64_t{plan.channels} * plan.kernel;
  for (int g = 0; g < plan.groups; ++g, x += in_group, y += out_group) {
    if (step.kind == StepKind::MaxPool) {
      kernels_.max_pool(plan.forward, x, y, n, stride_);
    } else if (step.kind == StepKind::AveragePool) {
      kernels_.average_pool(plan.forward, x, y, n, stride_);
    } else {
      const float* bias = linear_bias_[index];
      kernels_.convolve(plan.forward, linear_weight_[index] + g * plan.results * row, row,
                        bias ? bias + g * plan.results : nullptr, x, y, plan.results, plan.out_area,
                        n, stride_, false);
    }
  }
}

void Executor::backward_convolution(int index, int tile, int n, const Pass& pass) {
  const PlanStep& step = plan_.steps[index];
  const PlanWindows& plan = plan_.windows[step.windows];
  const float* x = value(step.a, tile);
  const float* d = gradient_of(step.out, tile);
  float* dx = plan_.values[step.a].needs_gradient ? gradient_of(step.a, tile) : nullptr;
  float* db = step.bias >= 0 ? pass.gradient + plan_.parameters[step.bias].offset : nullptr;
  const std::int64_t row = std::int64_t{plan.channels} * plan.kernel;
  const std::int64_t in_group = std::int64_t{plan.channels} * plan.in_area * stride_;
  const std::int64_t out_group = std::int64_t{plan.results} * plan.out_area * stride_;
  for (int g = 0; g < plan.groups; ++g) {
    kernels_.convolve_weight_gradient(
        plan.forward, d + g * out_group, x + g * in_group,
        weight_sums_[index].data() + g * plan.results * row * kernels_.lanes, row,
        db ? db + g * plan.results : nullptr, plan.results, plan.out_area, n, stride_);
  }
  if (dx) input_gradient(index, d, dx, n);
}

// Here a result is a channel of the input: its weights stand one kernel apart.
void Executor::input_gradient(int index, const float* d, float* dx, int n) {
  const PlanStep& step = plan_.steps[index];
  const PlanWindows& plan = plan_.windows[step.windows];
  const float* weight = linear_weight_[index];
  for (int g = 0; g < plan.groups; ++g) {
    kernels_.convolve(plan.input_gradient, weight, plan.kernel, nullptr, d, dx, plan.channels,
                      plan.in_area, n, stride_, step.accumulate_a);
    weight += std::int64_t{plan.results} * plan.channels * plan.kernel;
    d += std::int64_t{plan.results} * plan.out_area * stride_;
    dx += std::int64_t{plan.channels} * plan.in_area * stride_;
  }
}

void Executor::backward_pool(int index, int tile, int n) {
  const PlanStep& step = plan_.steps[index];
  const PlanWindows& plan = plan_.windows[step.windows];
  if (!plan_.values[step.a].needs_gradient) return;
  const float* x = value(step.a, tile);
  const float* y = value(step.out, tile);
  const float* d = gradient_of(step.out, tile);
  float* dx = gradient_of(step.a, tile);
  const std::int64_t in_plane = std::int64_t{plan.in_area} * stride_;
  const std::int64_t out_plane = std::int64_t{plan.out_area} * stride_;
  const bool set = plan.once && !step.accumulate_a;
  if (!plan.once && !step.accumulate_a) std::fill_n(dx, plan.groups * in_plane, 0.0f);
  for (int g = 0; g < plan.groups; ++g) {
    const std::int64_t in = g * in_plane;
    const std::int64_t out = g * out_plane;
    if (step.kind == StepKind::MaxPool) {
      kernels_.max_pool_gradient(plan.forward, x + in, y + out, d + out, dx + in, n, stride_, set);
    } else {
      kernels_.average_pool_gradient(plan.forward, d + out, dx + in, n, stride_, set);
    }
  }
}

// The lanes of weight gradients add up once per batch.
void Executor::fold_weight_sums(float* gradient) {
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    if (plan_.steps[i].kind != StepKind::Convolution) continue;
    const PlanParameter& weight = plan_.parameters[plan_.steps[i].weight];
    kernels_.add_lanes(weight_sums_[i].data(), gradient + weight.offset, weight.count);
  }
}

}  // namespace mase::engine::native
