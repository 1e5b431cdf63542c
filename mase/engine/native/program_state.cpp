// Parameters, buffers and the optimiser's memory as named tensors, in and out.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "mase/engine/native/program.h"
#include "mase/support/error.h"

namespace mase::engine::native {
namespace {

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

}  // namespace

ir::Tensor NativeProgram::tensor_of(const float* flat, const PlanParameter& parameter) const {
  return copy_out(flat + parameter.offset, parameter.shape);
}

std::vector<std::string> NativeProgram::integer_report() const {
  return executor_ ? executor_->integer_report() : std::vector<std::string>{};
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
  const char* wanted = optimiser_.kind == OptimiserKind::Sgd ? "momentum_buffer" : "exp_avg";
  for (const ir::OptimiserSlot& slot : state) {
    if (ir::find(slot.tensors, wanted)) continue;
    usage_error(
        fmt::format("the optimiser state of '{}' has no '{}': it comes from another kind "
                    "of optimiser",
                    slot.parameter, wanted));
  }
  updates_ = 0;
  std::int64_t offset = 0;
  for (const ir::Parameter& parameter : graph_.parameters()) {
    if (parameter.is_buffer) continue;
    const auto slot = std::find_if(state.begin(), state.end(), [&](const ir::OptimiserSlot& s) {
      return s.parameter == parameter.name;
    });
    if (slot != state.end()) {
      updates_ = std::max(updates_, static_cast<std::int64_t>(slot->step));
      for (const auto& [name, tensor] : slot->tensors) {
        need_shape(tensor, parameter.value.shape(), fmt::format("{} {}", parameter.name, name));
        FloatArray& to = name == "exp_avg_sq" ? second_moment_ : first_moment_;
        copy_in(tensor, to.data() + offset);
      }
      // SGD keeps no count: a momentum buffer says that it has started.
      if (optimiser_.kind == OptimiserKind::Sgd && !slot->tensors.empty()) {
        updates_ = std::max<std::int64_t>(updates_, 1);
      }
    }
    offset += parameter.value.size();
  }
}

}  // namespace mase::engine::native
