// Adam (Kingma, Ba 2015), AdamW (Loshchilov, Hutter 2019) and SGD with Nesterov momentum (Sutskever
// et al. 2013) as PyTorch computes them: factors are formed in double precision and rounded once to
// the parameters' type (1 - 0.999f would be 1.3e-5 off), the rest is element-wise in that type.
#include "mase/engine/torch/optimiser.h"

#include <fmt/format.h>

#include <cmath>

#include "mase/engine/optimiser_memory.h"
#include "mase/engine/torch/convert.h"
#include "mase/engine/torch/pch.h"

namespace mase::engine::torch_engine {
namespace {

constexpr const char* kExpAvg = "exp_avg";
constexpr const char* kExpAvgSq = "exp_avg_sq";
constexpr const char* kMomentum = "momentum_buffer";

template <typename T>
void adam(const OptimiserOptions& o, double step, std::size_t n, T* p, const T* gradient, T* m,
          T* v) {
  const bool decoupled = o.kind == OptimiserKind::AdamW;
  const T shrink = decoupled ? static_cast<T>(1.0 - o.learning_rate * o.weight_decay) : T{1};
  const T decay = decoupled ? T{0} : static_cast<T>(o.weight_decay);
  const T beta1 = static_cast<T>(o.beta1);
  const T beta2 = static_cast<T>(o.beta2);
  const T rest1 = static_cast<T>(1.0 - o.beta1);
  const T rest2 = static_cast<T>(1.0 - o.beta2);
  const T epsilon = static_cast<T>(o.epsilon);
  const T correction = static_cast<T>(std::sqrt(1.0 - std::pow(o.beta2, step)));
  const T rate = static_cast<T>(-(o.learning_rate / (1.0 - std::pow(o.beta1, step))));
  for (std::size_t i = 0; i < n; ++i) {
    const T x = p[i] * shrink;
    const T g = gradient[i] + decay * x;
    m[i] = m[i] * beta1 + rest1 * g;
    v[i] = v[i] * beta2 + rest2 * g * g;
    p[i] = x + rate * m[i] / (std::sqrt(v[i]) / correction + epsilon);
  }
}

template <typename T>
void sgd(const OptimiserOptions& o, bool first, std::size_t n, T* p, const T* gradient, T* buffer) {
  const T decay = static_cast<T>(o.weight_decay);
  const T momentum = static_cast<T>(o.momentum);
  const T rate = static_cast<T>(-o.learning_rate);
  for (std::size_t i = 0; i < n; ++i) {
    T g = gradient[i] + decay * p[i];
    if (buffer) {
      buffer[i] = first ? g : momentum * buffer[i] + g;
      g = o.nesterov ? g + momentum * buffer[i] : buffer[i];
    }
    p[i] += rate * g;
  }
}

at::Tensor load_tensor(const ir::OptimiserSlot& slot, const char* name, const at::Tensor& value) {
  return borrow(*ir::find(slot.tensors, name))
      .to(value.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

void Optimiser::set_options(const OptimiserOptions& options, std::span<const Trained> parameters) {
  options_ = options;
  memories_.assign(parameters.size(), {});
  ready_ = true;
}

template <typename T>
void Optimiser::update(const at::Tensor& value, const at::Tensor& gradient, Memory& memory) {
  const at::Tensor g = gradient.contiguous();
  const auto n = static_cast<std::size_t>(value.numel());
  T* p = value.data_ptr<T>();
  if (options_.kind == OptimiserKind::Sgd) {
    const bool first = !memory.first.defined();
    const bool remembers = options_.momentum != 0.0;
    if (first && remembers) memory.first = at::zeros_like(g);
    sgd(options_, first, n, p, g.data_ptr<T>(), remembers ? memory.first.data_ptr<T>() : nullptr);
    return;
  }
  if (!memory.first.defined()) {
    memory.first = at::zeros_like(g);
    memory.second = at::zeros_like(g);
  }
  memory.step += 1;
  adam(options_, memory.step, n, p, g.data_ptr<T>(), memory.first.data_ptr<T>(),
       memory.second.data_ptr<T>());
}

void Optimiser::step(std::span<const Trained> parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor& gradient = parameters[i].value.mutable_grad();
    if (!gradient.defined()) continue;
    if (parameters[i].value.scalar_type() == at::kDouble) {
      update<double>(parameters[i].value, gradient, memories_[i]);
    } else {
      update<float>(parameters[i].value, gradient, memories_[i]);
    }
    gradient.reset();
  }
}

ir::OptimiserState Optimiser::state(std::span<const Trained> parameters) const {
  ir::OptimiserState out;
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    const Memory& memory = memories_[i];
    if (!memory.first.defined()) continue;
    ir::OptimiserSlot slot{.parameter = parameters[i].name, .step = memory.step, .tensors = {}};
    if (options_.kind == OptimiserKind::Sgd) {
      slot.tensors.emplace_back(kMomentum, copy_out(memory.first));
    } else {
      slot.tensors.emplace_back(kExpAvg, copy_out(memory.first));
      slot.tensors.emplace_back(kExpAvgSq, copy_out(memory.second));
    }
    out.push_back(std::move(slot));
  }
  return out;
}

void Optimiser::load(const ir::OptimiserState& state, std::span<const Trained> parameters) {
  ir::Named<ir::Shape> trained;
  for (const Trained& parameter : parameters) {
    trained.emplace_back(parameter.name, parameter.value.sizes().vec());
  }
  check_memory(state, options_, trained);
  std::vector<Memory> memories(parameters.size());
  for (const ir::OptimiserSlot& slot : state) {
    if (slot.tensors.empty()) continue;
    std::size_t i = 0;
    while (parameters[i].name != slot.parameter) ++i;
    const at::Tensor& value = parameters[i].value;
    memories[i].step = slot.step;
    if (options_.kind == OptimiserKind::Sgd) {
      memories[i].first = load_tensor(slot, kMomentum, value);
    } else {
      memories[i].first = load_tensor(slot, kExpAvg, value);
      memories[i].second = load_tensor(slot, kExpAvgSq, value);
    }
  }
  memories_ = std::move(memories);
}

}  // namespace mase::engine::torch_engine
