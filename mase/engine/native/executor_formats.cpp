// Number formats through their own kernels: of the weights before a batch, of a tile wherever a
// step could not take the rounding in. Where a format joins elements or has a state, it sees a tile
// as the rest of the world does: sample by sample.
#include <algorithm>

#include "mase/engine/native/executor.h"

namespace mase::engine::native {
namespace {

using Spans = std::vector<std::span<const float>>;

Spans state_of(const Plan& plan, const PlanFormat& format, const Weights& weights) {
  Spans spans;
  for (const int index : format.state) {
    const PlanParameter& p = plan.parameters[index];
    spans.emplace_back(weights.flat.data() + p.offset, static_cast<std::size_t>(p.count));
  }
  return spans;
}

std::vector<std::span<float>> state_gradients(const Plan& plan, const PlanFormat& format,
                                              float* gradient) {
  std::vector<std::span<float>> spans;
  for (const int index : format.state) {
    const PlanParameter& p = plan.parameters[index];
    spans.emplace_back(gradient + p.offset, static_cast<std::size_t>(p.count));
  }
  return spans;
}

numerics::Edge tile_edge(const PlanFormat& format, int n) {
  ir::Shape shape{n};
  shape.insert(shape.end(), format.row.begin(), format.row.end());
  return numerics::data_edge(std::move(shape));
}

void to_rows(const float* tile, int features, int n, int stride, std::vector<float>& rows) {
  rows.resize(static_cast<std::size_t>(features) * static_cast<std::size_t>(n));
  for (int s = 0; s < n; ++s) {
    float* row = rows.data() + static_cast<std::ptrdiff_t>(s) * features;
    for (int f = 0; f < features; ++f) row[f] = tile[static_cast<std::ptrdiff_t>(f) * stride + s];
  }
}

void from_rows(const std::vector<float>& rows, int features, int n, int stride, float* tile) {
  for (int s = 0; s < n; ++s) {
    const float* row = rows.data() + static_cast<std::ptrdiff_t>(s) * features;
    for (int f = 0; f < features; ++f) tile[static_cast<std::ptrdiff_t>(f) * stride + s] = row[f];
  }
}

bool in_any_order(const PlanFormat& format) {
  return format.state.empty() &&
         format.precision.format->granularity == numerics::Granularity::Element;
}

}  // namespace

void Executor::quantise_weights(const Weights& weights) {
  const auto prepare = [&](int parameter, const std::optional<PlanFormat>& format,
                           Quantised& quantised) -> const float* {
    if (parameter < 0) return nullptr;
    const PlanParameter& p = plan_.parameters[parameter];
    const float* from = weights.flat.data() + p.offset;
    if (!format) return from;
    FloatArray& copy = quantised.values;
    if (copy.size() < p.count) copy.resize(p.count);
    const auto count = static_cast<std::size_t>(p.count);
    if (quantised.grid) {
      kernels_.quantise(*quantised.grid, from, copy.data(), p.count);
      return copy.data();
    }
    const Spans state = state_of(plan_, *format, weights);
    numerics::Edge edge = numerics::parameter_edge(p.shape);
    edge.state = state;
    numerics::quantise(format->precision, edge, {from, count}, {copy.data(), count});
    return copy.data();
  };
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const PlanStep& step = plan_.steps[i];
    if (step.kind != StepKind::Linear && step.kind != StepKind::Convolution) continue;
    linear_weight_[i] = prepare(step.weight, step.weight_format, quantised_[2 * i]);
    linear_bias_[i] = prepare(step.bias, step.bias_format, quantised_[2 * i + 1]);
    if (step.bias < 0 || !step.bias_format) continue;
    // Codes know no negative zero: without it sums come out alike in floats and in integers.
    FloatArray& bias = quantised_[2 * i + 1].values;
    for (std::int64_t k = 0; k < plan_.parameters[step.bias].count; ++k) bias.data()[k] += 0.0f;
  }
}

void Executor::quantise_tile(const PlanStep& step, const Pass& pass, const float* from, float* to,
                             int n) {
  const int features = plan_.values[step.out].features;
  const numerics::Precision& precision = step.format.precision;
  if (in_any_order(step.format)) {
    const auto count = static_cast<std::size_t>(features) * static_cast<std::size_t>(stride_);
    return numerics::quantise(precision, {.shape = {features, stride_}}, {from, count},
                              {to, count});
  }
  const Spans state = state_of(plan_, step.format, pass.weights);
  numerics::Edge edge = tile_edge(step.format, n);
  edge.state = state;
  to_rows(from, features, n, stride_, rows_);
  numerics::quantise(precision, edge, rows_, rows_);
  from_rows(rows_, features, n, stride_, to);
}

void Executor::quantise_gradient(const PlanStep& step, const Pass& pass, const float* a, float* d,
                                 int n) {
  const numerics::Precision& precision = step.format.precision;
  if (!precision.format->gradient) return;  // straight through
  const int features = plan_.values[step.out].features;
  const Spans state = state_of(plan_, step.format, pass.weights);
  numerics::Edge edge = tile_edge(step.format, n);
  edge.state = state;
  to_rows(a, features, n, stride_, rows_);
  to_rows(d, features, n, stride_, gradient_rows_);
  precision.format->gradient(precision, edge, rows_, gradient_rows_, gradient_rows_,
                             state_gradients(plan_, step.format, pass.gradient));
  from_rows(gradient_rows_, features, n, stride_, d);
}

void Executor::finish_gradients(const Weights& weights, float* gradient) const {
  std::vector<int> done;  // a layer may be called several times
  const auto finish = [&](int parameter, const std::optional<PlanFormat>& format) {
    if (parameter < 0 || !format || !format->precision.format->gradient) return;
    if (std::find(done.begin(), done.end(), parameter) != done.end()) return;
    done.push_back(parameter);
    const PlanParameter& p = plan_.parameters[parameter];
    const auto count = static_cast<std::size_t>(p.count);
    const Spans state = state_of(plan_, *format, weights);
    numerics::Edge edge = numerics::parameter_edge(p.shape);
    edge.state = state;
    const std::span<float> of_weight(gradient + p.offset, count);
    format->precision.format->gradient(format->precision, edge,
                                       {weights.flat.data() + p.offset, count}, of_weight,
                                       of_weight, state_gradients(plan_, *format, gradient));
  };
  for (const PlanStep& step : plan_.steps) {
    finish(step.weight, step.weight_format);
    finish(step.bias, step.bias_format);
  }
}

}  // namespace mase::engine::native
