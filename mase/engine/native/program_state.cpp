// Parameters, buffers and the optimiser's memory as named tensors, in and out.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "mase/engine/native/program.h"
#include "mase/engine/optimiser_memory.h"
#include "mase/support/error.h"

namespace mase::engine::native {
namespace {

constexpr double kMostUpdates = 9007199254740992.0;  // 2^53: beyond, a step adds nothing

void need_shape(const ir::Tensor& tensor, const ir::Shape& shape, std::string_view name) {
  if (tensor.shape() == shape) return;
  usage_error(fmt::format("'{}' has shape {}, the network wants {}", name, ir::text(tensor.shape()),
                          ir::text(shape)));
}

void copy_in(const ir::Tensor& tensor, float* to) {
  const ir::Tensor floats = tensor.to(ir::DType::Float32);
  std::memcpy(to, floats.data(), floats.bytes());
}

ir::Tensor copy_out(const float* from, const ir::Shape& shape) {
  ir::Tensor out(shape, ir::DType::Float32);
  if (out.bytes() > 0) std::memcpy(out.data_mut(), from, out.bytes());
  return out;
}

const ir::OptimiserSlot* find_slot(const ir::OptimiserState& state, std::string_view parameter) {
  const auto slot = std::find_if(state.begin(), state.end(), [&](const ir::OptimiserSlot& s) {
    return s.parameter == parameter && !s.tensors.empty();
  });
  return slot == state.end() ? nullptr : &*slot;
}

// How many updates a state has seen. The optimiser here works on all parameters at once, so they
// must have seen the same number.
std::int64_t common_updates(const ir::OptimiserState& state, const ir::Named<ir::Shape>& trained,
                            const OptimiserOptions& options) {
  const bool sgd = options.kind == OptimiserKind::Sgd;
  const auto updates_of = [&](const ir::OptimiserSlot* slot) -> double {
    if (!slot) return 0;
    // PyTorch's SGD keeps no count: a momentum buffer says that it has started.
    return sgd ? std::max(1.0, slot->step) : slot->step;
  };
  std::optional<double> updates;
  for (const auto& [name, shape] : trained) {
    const double here = updates_of(find_slot(state, name));
    if (!(here >= 0 && here <= kMostUpdates)) {
      usage_error(fmt::format("the optimiser state of '{}' has seen {} updates", name, here));
    }
    if (updates && *updates != here) {
      usage_error(fmt::format("the optimiser has updated '{}' {} times, '{}' {} times: the native "
                              "engine updates all parameters together",
                              trained.front().first, *updates, name, here),
                  {}, "use --engine torch");
    }
    updates = here;
  }
  return static_cast<std::int64_t>(updates.value_or(0));
}

}  // namespace

ir::Tensor NativeProgram::tensor_of(const float* flat, const PlanParameter& parameter) const {
  return copy_out(flat + parameter.offset, parameter.shape);
}

std::vector<std::string> NativeProgram::integer_report() const {
  return executor_.integer_report();
}

ir::State NativeProgram::state() const {
  ir::State out;
  std::int64_t offset = 0;
  std::size_t buffer = 0;
  for (const ir::Parameter& parameter : graph_.parameters()) {
    const ir::Shape& shape = parameter.value.shape();
    if (!parameter.is_buffer) {
      out.emplace_back(parameter.name, copy_out(weights_.flat.data() + offset, shape));
      offset += parameter.value.size();
    } else if (parameter.value.dtype() == ir::DType::Int64) {
      ir::Tensor count(shape, ir::DType::Int64);
      count.values_mut<std::int64_t>()[0] = weights_.counts[buffer++];
      out.emplace_back(parameter.name, count);
    } else {
      out.emplace_back(parameter.name, copy_out(weights_.buffers[buffer++].data(), shape));
    }
  }
  return out;
}

void NativeProgram::load_state(const ir::State& state) {
  if (state.size() != graph_.parameters().size()) {
    usage_error(fmt::format("the state holds {} tensors, the network {}", state.size(),
                            graph_.parameters().size()));
  }
  ++weights_.version;
  std::int64_t offset = 0;
  std::size_t buffer = 0;
  for (const ir::Parameter& parameter : graph_.parameters()) {
    const ir::Tensor* tensor = ir::find(state, parameter.name);
    if (!tensor) usage_error(fmt::format("the state does not hold '{}'", parameter.name));
    need_shape(*tensor, parameter.value.shape(), parameter.name);
    if (!parameter.is_buffer) {
      copy_in(*tensor, weights_.flat.data() + offset);
      offset += parameter.value.size();
    } else if (parameter.value.dtype() == ir::DType::Int64) {
      weights_.counts[buffer++] = static_cast<std::int64_t>(tensor->at(0));
    } else {
      weights_.buffers[buffer].resize(tensor->size());
      copy_in(*tensor, weights_.buffers[buffer++].data());
    }
  }
}

ir::OptimiserState NativeProgram::optimiser_state() const {
  ir::OptimiserState out;
  if (updates_ == 0) return out;
  const bool sgd = optimiser_.kind == OptimiserKind::Sgd;
  std::int64_t offset = 0;
  for (const ir::Parameter& parameter : graph_.parameters()) {
    if (parameter.is_buffer) continue;
    const ir::Shape& shape = parameter.value.shape();
    ir::OptimiserSlot slot{.parameter = parameter.name, .step = static_cast<double>(updates_)};
    const ir::Tensor first = copy_out(first_moment_.data() + offset, shape);
    if (sgd) {
      slot.tensors.emplace_back("momentum_buffer", first);
    } else {
      slot.tensors.emplace_back("exp_avg", first);
      slot.tensors.emplace_back("exp_avg_sq", copy_out(second_moment_.data() + offset, shape));
    }
    out.push_back(std::move(slot));
    offset += parameter.value.size();
  }
  return out;
}

void NativeProgram::load_optimiser_state(const ir::OptimiserState& state) {
  ir::Named<ir::Shape> trained;
  for (const ir::Parameter& parameter : graph_.parameters()) {
    if (!parameter.is_buffer) trained.emplace_back(parameter.name, parameter.value.shape());
  }
  check_memory(state, optimiser_, trained);
  updates_ = common_updates(state, trained, optimiser_);
  first_moment_.resize(first_moment_.size());  // zero
  second_moment_.resize(second_moment_.size());
  std::int64_t offset = 0;
  for (const ir::Parameter& parameter : graph_.parameters()) {
    if (parameter.is_buffer) continue;
    if (const ir::OptimiserSlot* slot = find_slot(state, parameter.name)) {
      for (const auto& [name, tensor] : slot->tensors) {
        FloatArray& to = name == "exp_avg_sq" ? second_moment_ : first_moment_;
        copy_in(tensor, to.data() + offset);
      }
    }
    offset += parameter.value.size();
  }
}

}  // namespace mase::engine::native
