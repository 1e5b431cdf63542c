// Fewer passes over a tile: batch norm merges with the activation behind it, and both with the
// quantisation of their reader; an activation in front of a max pooling moves behind it, where a
// quarter of the elements is left.
#include "mase/engine/native/plan_fuse.h"

#include <algorithm>

namespace mase::engine::native {
namespace {

std::vector<int> count_readers(const Plan& plan) {
  std::vector<int> readers(plan.values.size(), 0);
  for (const PlanStep& step : plan.steps) {
    ++readers[step.a];
    if (step.b >= 0) ++readers[step.b];
  }
  ++readers[plan.result];
  return readers;
}

bool only_normalises(const PlanStep& step) {
  return step.kind == StepKind::Pointwise && step.norm >= 0 && !step.quantise_in &&
         !step.quantise_out && step.activation == Activation::None;
}

bool only_quantises(const PlanStep& step) {
  return step.kind == StepKind::Pointwise && step.norm < 0 && !step.quantise_in &&
         step.quantise_out && step.activation == Activation::None;
}

// Merges `second`, the only reader of `first`, into it if both are element-wise and fit.
bool merge(PlanStep& first, const PlanStep& second) {
  if (second.kind != StepKind::Pointwise || second.norm >= 0) return false;
  if (only_quantises(second)) {
    if (first.kind != StepKind::Pointwise || first.quantise_out) return false;
    first.quantise_out = second.quantise_out;
  } else {
    if (!only_normalises(first)) return false;
    first.activation = second.activation;
    first.low = second.low;
    first.high = second.high;
    first.quantise_in = second.quantise_in;
    first.quantise_out = second.quantise_out;
  }
  first.out = second.out;
  return true;
}

// max(relu(x)) = relu(max(x)), and both find their gradient the same way.
void move_behind_pools(Plan& plan) {
  const std::vector<int> readers = count_readers(plan);
  for (std::size_t i = 0; i + 1 < plan.steps.size(); ++i) {
    PlanStep& first = plan.steps[i];
    PlanStep& pool = plan.steps[i + 1];
    if (pool.kind != StepKind::MaxPool || pool.a != first.out || readers[first.out] != 1) continue;
    if (first.kind != StepKind::Pointwise || first.activation != Activation::Relu) continue;
    if (first.norm >= 0 || first.quantise_in || first.quantise_out) continue;
    // The value between them now is that of the pooling before the activation.
    plan.values[first.out].features = plan.values[pool.out].features;
    pool.a = first.a;
    std::swap(pool.out, first.out);
    first.a = pool.out;
    std::swap(first, pool);
  }
}

}  // namespace

void fuse_steps(Plan& plan) {
  move_behind_pools(plan);
  const std::vector<int> readers = count_readers(plan);
  std::vector<PlanStep> fused;
  for (PlanStep& step : plan.steps) {
    // The producer of this step's input, if nobody else reads it.
    const auto producer = std::find_if(fused.begin(), fused.end(),
                                       [&](const PlanStep& s) { return s.out == step.a; });
    if (producer != fused.end() && readers[step.a] == 1 && merge(*producer, step)) continue;
    fused.push_back(std::move(step));
  }
  plan.steps = std::move(fused);
}

namespace {

bool in_place_gradient(const PlanStep& step) {
  return step.kind == StepKind::Pointwise || step.kind == StepKind::Affine ||
         step.kind == StepKind::Quantise || step.kind == StepKind::Dropout;
}

}  // namespace

// Who adds to a gradient and who sets it, in the order in which gradients are formed.
void plan_gradients(Plan& plan) {
  const std::vector<int> readers = count_readers(plan);
  std::vector<bool> written(plan.values.size(), false);
  written[plan.result] = true;
  for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
    if (in_place_gradient(*step) && readers[step->a] == 1) {
      plan.values[step->a].gradient_home = plan.values[step->out].gradient_home;
    }
    step->accumulate_a = written[step->a];
    written[step->a] = true;
    if (step->b < 0) continue;
    step->accumulate_b = written[step->b];
    written[step->b] = true;
  }
}

}  // namespace mase::engine::native
