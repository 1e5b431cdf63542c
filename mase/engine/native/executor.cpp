// The tile interpreter: runs the segments of a plan.
#include "mase/engine/native/executor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mase/engine/native/explain.h"

namespace mase::engine::native {

Executor::Executor(const Plan& plan, const Kernels& kernels, std::uint64_t seed,
                   const IntegerOptions& integer)
    : plan_(plan),
      kernels_(kernels),
      seed_(seed),
      integer_(plan, integer.kernels ? *integer.kernels : integer_kernels(kernels), integer) {
  const auto program = [&](Segments segments, Keep keep) {
    MemoryPlan memory = plan_memory(plan, segments, keep);
    return Program{std::move(segments), std::move(memory)};
  };
  train_ = program(training_segments(plan, false), Keep::Needed);
  train_recomputing_ = program(training_segments(plan, true), Keep::Needed);
  train_forward_ = program(forward_segments(plan, true), Keep::EveryValue);
  evaluate_ = program(forward_segments(plan, false), Keep::Needed);
  evaluate_all_ = program(forward_segments(plan, false), Keep::EveryValue);
  norms_.resize(plan.norms.size());
  for (std::size_t i = 0; i < plan.norms.size(); ++i) {
    NormScratch& s = norms_[i];
    const std::int64_t channels = plan.norms[i].channels;
    for (FloatArray* array : {&s.gain, &s.shift, &s.mean, &s.a, &s.b, &s.c}) {
      array->resize(channels * plan.norms[i].area);
    }
    for (FloatArray* array : {&s.inverse, &s.channel_gain, &s.channel_mean, &s.ones, &s.zeros}) {
      array->resize(channels);
    }
    std::fill_n(s.ones.data(), channels, 1.0f);
    s.ignored.resize(2 * padded(channels));
  }
  weight_sums_.resize(plan.steps.size());
  std::int64_t widest = 0;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const PlanStep& step = plan.steps[i];
    pointwise_.push_back(pointwise_of(step));
    if (step.kind == StepKind::Convolution) {
      weight_sums_[i].resize(plan.parameters[step.weight].count * kernels.lanes);
    } else if (step.kind == StepKind::Linear) {
      widest = std::max<std::int64_t>(widest, plan.values[step.a].features);
    }
  }
  transposed_.resize(kNarrowTile * padded(widest));
  for (const PlanStep& step : plan.steps) {
    for (const auto* format : {&step.weight_format, &step.bias_format}) {
      quantised_.push_back({.grid = *format ? grid_of((*format)->precision) : std::nullopt});
    }
  }
  linear_weight_.resize(plan.steps.size(), nullptr);
  linear_bias_.resize(plan.steps.size(), nullptr);
}

std::string Executor::explain() const {
  return native::explain(plan_, train_.segments, train_.memory, integer_.report());
}

Pointwise Executor::pointwise_of(const PlanStep& step) const {
  Pointwise p;
  if (step.norm >= 0) {
    p.gain = norms_[step.norm].gain.data();
    p.shift = norms_[step.norm].shift.data();
  }
  p.quantise_in = step.quantise_in ? &*step.quantise_in : nullptr;
  p.quantise_out = step.quantise_out ? &*step.quantise_out : nullptr;
  p.activation = step.activation;
  p.low = step.low;
  p.high = step.high;
  return p;
}

void Executor::run(const Segments& program, Pass& pass) {
  prepared_ = nullptr;
  quantise_weights(pass.weights);
  Prefetch prefetch;
  for (const Segment& segment : program) {
    const auto index = static_cast<std::size_t>(&segment - program.data());
    for (int k = 0; k < tiles_; ++k) {
      // Every other segment backwards: it begins with what is still in the cache.
      const int tile = index % 2 == 0 ? k : tiles_ - 1 - k;
      if (prefetch.rows.empty()) prefetch = plan_prefetch(program, index, k, pass);
      for (const Instruction& instruction : segment.instructions) {
        prefetch.some(pass, plan_.values[0].features);
        execute(instruction, tile, pass);
      }
    }
    if (segment.finish == Finish::FoldMoments) {
      fold_moments(plan_.steps[segment.step].norm, pass);
    } else if (segment.finish == Finish::FoldGradient) {
      fold_gradient(plan_.steps[segment.step].norm, pass);
    }
  }
  fetched_ = std::min(pass.rows.ahead.size(), rows_to_fetch(program));
}

void Executor::execute(const Instruction& instruction, int tile, Pass& pass) {
  switch (instruction.code) {
    case Code::Gather:
      return gather(tile, pass);
    case Code::Loss:
      return loss(tile, pass);
    case Code::Forward:
      return forward_step(instruction.step, tile, pass);
    case Code::Moments: {
      const PlanStep& step = plan_.steps[instruction.step];
      const PlanNorm& norm = plan_.norms[step.norm];
      const std::int64_t at = tile * padded(norm.channels);
      NormScratch& s = norms_[step.norm];
      if (norm.area > 1) {
        return kernels_.channel_moments(value(step.a, tile), norm.channels, norm.area, valid(tile),
                                        stride_, s.tile_mean.data() + at, s.tile_m2.data() + at);
      }
      return kernels_.moments(value(step.a, tile), norm.channels, valid(tile), stride_,
                              s.tile_mean.data() + at, s.tile_m2.data() + at);
    }
    case Code::Backward:
    case Code::NormGradient:
      return backward_step(instruction, tile, pass);
  }
}

void Executor::gather(int tile, const Pass& pass) {
  kernels_.gather(pass.rows.table, rows_of(tile, pass).data(), valid(tile),
                  plan_.values[0].features, value(0, tile), stride_);
}

void Executor::loss(int tile, Pass& pass) {
  // Read once: the bytes written below may, for all the compiler knows, be this pointer's.
  const std::uint8_t* const labels = pass.rows.labels;
  if (!labels) return;
  const int n = valid(tile);
  std::uint8_t* label = tile_labels_.data();
  const std::span<const std::uint32_t> numbers = rows_of(tile, pass);
  if (pass.in_order) {
    std::memcpy(label, labels + numbers.front(), numbers.size());
  } else {
    for (const std::uint32_t row : numbers) *label++ = labels[row];
  }
  kernels_.cross_entropy(value(plan_.result, tile), tile_labels_.data(),
                         plan_.values[plan_.result].features, n, stride_, pass.scale,
                         pass.gradient ? gradient_of(plan_.result, tile) : nullptr,
                         &pass.result.loss, &pass.result.correct, pass.ahead);
}

void Executor::forward_step(int index, int tile, const Pass& pass) {
  const PlanStep& step = plan_.steps[index];
  const int n = valid(tile);
  const float* a = value(step.a, tile);
  float* out = value(step.out, tile);
  const int features = plan_.values[step.out].features;
  switch (step.kind) {
    case StepKind::Linear:
      if (step.windows >= 0) return forward_windows(index, tile, n);
      return kernels_.linear(linear_weight_[index], linear_bias_[index], a, out,
                             plan_.values[step.a].features, features, n, stride_);
    case StepKind::Convolution:
    case StepKind::MaxPool:
    case StepKind::AveragePool:
      return forward_windows(index, tile, n);
    case StepKind::Pointwise:
      return kernels_.pointwise(pointwise_[index], a, out, features, n, stride_);
    case StepKind::Affine:
      return kernels_.affine(step.factor, step.offset, a, out, features, n, stride_);
    case StepKind::Binary:
      return kernels_.binary(step.op, a, value(step.b, tile), out, features, n, stride_);
    case StepKind::Softmax:
      return kernels_.softmax(a, out, features, n, stride_);
    case StepKind::Dropout:
      return dropout(step, tile, pass, a, out);
    case StepKind::Quantise:
      return quantise_tile(step, pass, a, out, n);
  }
}

// The gradient of a step's input from that of its output, and of its parameters.
void Executor::backward_step(const Instruction& instruction, int tile, const Pass& pass) {
  const PlanStep& step = plan_.steps[instruction.step];
  const int n = valid(tile);
  const int features = plan_.values[step.out].features;
  const float* a = value(step.a, tile);
  float* d = gradient_of(step.out, tile);
  float* da = plan_.values[step.a].needs_gradient ? gradient_of(step.a, tile) : nullptr;
  if (instruction.code == Code::NormGradient) {
    const NormScratch& s = norms_[step.norm];
    return kernels_.normalise_gradient(s.a.data(), s.b.data(), s.c.data(), d, a, da, features, n,
                                       stride_, step.accumulate_a);
  }
  switch (step.kind) {
    case StepKind::Linear: {
      float* dw = pass.gradient + plan_.parameters[step.weight].offset;
      float* db = step.bias >= 0 ? pass.gradient + plan_.parameters[step.bias].offset : nullptr;
      const int inputs = plan_.values[step.a].features;
      if (tile_ <= kNarrowTile) {
        kernels_.linear_weight_gradient_narrow(d, a, dw, db, inputs, features, n, stride_,
                                               transposed_.data());
      } else {
        kernels_.linear_weight_gradient(d, a, dw, db, inputs, features, n, stride_);
      }
      if (!da) return;
      if (step.windows >= 0) return input_gradient(instruction.step, d, da, n);
      return kernels_.linear_input_gradient(linear_weight_[instruction.step], d, da, inputs,
                                            features, n, stride_, step.accumulate_a);
    }
    case StepKind::Convolution:
      return backward_convolution(instruction.step, tile, n, pass);
    case StepKind::MaxPool:
    case StepKind::AveragePool:
      return backward_pool(instruction.step, tile, n);
    case StepKind::Pointwise: {
      const Pointwise& p = pointwise_[instruction.step];
      if (step.norm >= 0) {
        NormScratch& s = norms_[step.norm];
        const std::int64_t at = tile * padded(features);
        return kernels_.pointwise_gradient(p, a, d, features, n, stride_, s.mean.data(),
                                           s.s1.data() + at, s.s2.data() + at);
      }
      kernels_.pointwise_gradient(p, a, d, features, n, stride_, nullptr, nullptr, nullptr);
      break;
    }
    case StepKind::Affine:
      if (da) kernels_.scale_add(step.factor, d, da, features, n, stride_, step.accumulate_a);
      return;
    case StepKind::Binary: {
      const float* b = value(step.b, tile);
      float* db = plan_.values[step.b].needs_gradient ? gradient_of(step.b, tile) : nullptr;
      if (step.op == '*') {
        if (da) kernels_.multiply_add(d, b, da, features, n, stride_, step.accumulate_a);
        if (db) kernels_.multiply_add(d, a, db, features, n, stride_, step.accumulate_b);
        return;
      }
      const float sign = step.op == '-' ? -1.0f : 1.0f;
      if (da) kernels_.scale_add(1.0f, d, da, features, n, stride_, step.accumulate_a);
      if (db) kernels_.scale_add(sign, d, db, features, n, stride_, step.accumulate_b);
      return;
    }
    case StepKind::Softmax:
      if (da) {
        kernels_.softmax_gradient(value(step.out, tile), d, da, features, n, stride_,
                                  step.accumulate_a);
      }
      return;
    case StepKind::Dropout:
      dropout(step, tile, pass, d, d);
      break;
    case StepKind::Quantise:
      quantise_gradient(step, pass, a, d, n);
      break;
  }
  // Element-wise steps leave the gradient of their input over that of their output.
  if (da && da != d) kernels_.scale_add(1.0f, d, da, features, n, stride_, step.accumulate_a);
}

}  // namespace mase::engine::native
