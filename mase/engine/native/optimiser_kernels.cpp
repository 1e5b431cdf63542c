// Adam and SGD over one flat array, in PyTorch's order of operations.
// Source: Kingma and Ba, Adam (2015); Loshchilov and Hutter, AdamW (2019).
#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {

void adam(const AdamStep& step, float* parameter, float* gradient, float* m, float* v,
          std::int64_t count) {
  const Vec beta1 = splat(step.beta1);
  const Vec beta2 = splat(step.beta2);
  const Vec rest1 = splat(step.one_minus_beta1);
  const Vec rest2 = splat(step.one_minus_beta2);
  const Vec decay = splat(step.weight_decay);
  const Vec correction = splat(step.root_correction);
  const Vec epsilon = splat(step.epsilon);
  const Vec rate = splat(-step.rate);
  const Vec keep = splat(step.keep);
  for (std::int64_t i = 0; i < count; i += kLanes) {
    Vec p = load(parameter + i) * keep;
    const Vec g = fma(decay, p, load(gradient + i));
    const Vec m1 = fma(rest1, g, load(m + i) * beta1);
    const Vec v1 = fma(rest2, g * g, load(v + i) * beta2);
    const Vec denominator = fma(square_root(v1), correction, epsilon);
    p = fma(rate, m1 / denominator, p);
    store(parameter + i, p);
    store(m + i, m1);
    store(v + i, v1);
    store(gradient + i, Vec{});
  }
}

void sgd(const SgdStep& step, float* parameter, float* gradient, float* momentum,
         std::int64_t count) {
  const Vec decay = splat(step.weight_decay);
  const Vec keep = splat(step.momentum);
  const Vec rate = splat(-step.rate);
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const Vec p = load(parameter + i);
    const Vec g = fma(decay, p, load(gradient + i));
    const Vec b = step.first ? g : load(momentum + i) * keep + g;
    const Vec direction = step.momentum == 0.0f ? g : (step.nesterov ? fma(keep, b, g) : b);
    store(parameter + i, fma(rate, direction, p));
    store(momentum + i, b);
    store(gradient + i, Vec{});
  }
}

}  // namespace mase::engine::native::MASE_ISA
