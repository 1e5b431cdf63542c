// The parts of the executor between segments: what batch norms need to know of the whole batch,
// and the entry points that set up a pass.
#include <algorithm>
#include <cmath>

#include "mase/engine/dropout.h"
#include "mase/engine/native/executor.h"
#include "mase/support/error.h"

namespace mase::engine::native {
namespace {

// From a number per channel to one per feature; may be in place.
void spread(const FloatArray& channels, FloatArray& features, const PlanNorm& norm) {
  if (norm.area == 1) return;  // they are the same then
  for (int c = norm.channels - 1; c >= 0; --c) {
    const float number = channels.data()[c];
    std::fill_n(features.data() + std::ptrdiff_t{c} * norm.area, norm.area, number);
  }
}

}  // namespace

void Executor::fold_moments(int norm, const Pass& pass) {
  const PlanNorm& n = plan_.norms[norm];
  NormScratch& s = norms_[norm];
  FloatArray& mean = n.area == 1 ? s.mean : s.channel_mean;
  FloatArray& gain = n.area == 1 ? s.gain : s.channel_gain;
  const float* flat = pass.weights.flat.data();
  kernels_.fold_moments(
      {.channels = n.channels,
       .moments = {.mean = s.tile_mean.data(),
                   .m2 = s.tile_m2.data(),
                   .tiles = tiles_,
                   .pitch = padded(n.channels),
                   .count = static_cast<double>(tile_) * n.area,
                   .last_count = static_cast<double>(valid(tiles_ - 1)) * n.area},
       .epsilon = n.epsilon,
       .momentum = n.momentum,
       .gamma = n.gain >= 0 ? flat + plan_.parameters[n.gain].offset : s.ones.data(),
       .beta = n.shift >= 0 ? flat + plan_.parameters[n.shift].offset : s.zeros.data(),
       .mean = mean.data(),
       .inverse = s.inverse.data(),
       .gain = gain.data(),
       .shift = s.shift.data(),
       .running_mean = pass.moving ? pass.moving->buffers[n.running_mean].data() : nullptr,
       .running_var = pass.moving ? pass.moving->buffers[n.running_var].data() : nullptr});
  spread(mean, s.mean, n);
  spread(gain, s.gain, n);
  spread(s.shift, s.shift, n);
  if (pass.moving && n.batches >= 0) ++pass.moving->counts[n.batches];
  if (pass.moving) ++pass.moving->version;
}

void Executor::fold_gradient(int norm, const Pass& pass) {
  const PlanNorm& n = plan_.norms[norm];
  NormScratch& s = norms_[norm];
  float* ignored = s.ignored.data();  // gradients of what is not there
  kernels_.fold_gradient(
      {.channels = n.channels,
       .area = n.area,
       .s1 = s.s1.data(),
       .s2 = s.s2.data(),
       .tiles = tiles_,
       .pitch = padded(std::int64_t{n.channels} * n.area),
       .count = static_cast<double>(samples_) * n.area,
       .mean = (n.area == 1 ? s.mean : s.channel_mean).data(),
       .inverse = s.inverse.data(),
       .gain = (n.area == 1 ? s.gain : s.channel_gain).data(),
       .a = s.a.data(),
       .b = s.b.data(),
       .c = s.c.data(),
       .dgamma = n.gain >= 0 ? pass.gradient + plan_.parameters[n.gain].offset : ignored,
       .dbeta = n.shift >= 0 ? pass.gradient + plan_.parameters[n.shift].offset
                             : ignored + padded(n.channels)});
  for (FloatArray* numbers : {&s.a, &s.b, &s.c}) spread(*numbers, *numbers, n);
}

void Executor::fold_running(const Weights& weights) {
  for (std::size_t i = 0; i < plan_.norms.size(); ++i) {
    const PlanNorm& n = plan_.norms[i];
    NormScratch& s = norms_[i];
    const float* mean = weights.buffers[n.running_mean].data();
    const float* var = weights.buffers[n.running_var].data();
    for (int f = 0; f < n.channels; ++f) {
      const double gamma =
          n.gain >= 0 ? weights.flat.data()[plan_.parameters[n.gain].offset + f] : 1.0;
      const double beta =
          n.shift >= 0 ? weights.flat.data()[plan_.parameters[n.shift].offset + f] : 0.0;
      const double gain = gamma / std::sqrt(var[f] + n.epsilon);
      s.gain.data()[f] = static_cast<float>(gain);
      s.shift.data()[f] = static_cast<float>(beta - mean[f] * gain);
    }
    for (FloatArray* numbers : {&s.gain, &s.shift}) spread(*numbers, *numbers, n);
  }
}

// The mask is a function of (seed, step, node, element): forward and backward draw it anew, and a
// resumed run, or another engine, draws the same.
void Executor::dropout(const PlanStep& step, int tile, const Pass& pass, const float* from,
                       float* to) const {
  const int features = plan_.values[step.out].features;
  const int n = static_cast<int>(padded(valid(tile)));
  const float kept = step.p < 1 ? static_cast<float>(1.0 / (1.0 - step.p)) : 0.0f;
  const DropoutSite site{.seed = seed_, .step = pass.counter, .node = step.position};
  for (int f = 0; f < features; ++f) {
    for (int i = 0; i < n; ++i) {
      const int at = f * stride_ + i;
      if (!pass.dropout) {
        to[at] = from[at];
        continue;
      }
      const std::int64_t sample = static_cast<std::int64_t>(tile) * tile_ + i;
      const auto index = static_cast<std::uint64_t>(sample * features + f);
      to[at] = dropout_uniform(site, index) < step.p ? 0.0f : from[at] * kept;
    }
  }
}

void Executor::need_several_samples(const Rows& rows) const {
  if (rows.rows.size() != 1) return;
  for (const PlanStep& step : plan_.steps) {
    if (step.norm < 0 || plan_.norms[step.norm].area > 1) continue;
    throw Error(ErrorKind::RunFailed,
                "a batch of one row has no variance: batch norm needs two rows in training",
                {.node = step.node}, "choose a batch size that does not leave one row over");
  }
}

BatchResult Executor::train(Weights& weights, float* gradient, const Rows& rows, float scale,
                            std::uint64_t step) {
  need_several_samples(rows);
  const auto count = static_cast<std::int64_t>(rows.rows.size());
  const Program& program = training_program(count);
  allocate(count, program.memory);
  Pass pass{.rows = rows,
            .weights = weights,
            .moving = &weights,
            .gradient = gradient,
            .scale = scale / static_cast<float>(count),
            .dropout = true,
            .counter = step};
  run(program.segments, pass);
  fold_weight_sums(gradient);
  pass.result.loss /= static_cast<double>(count);
  pass.result.count = count;
  return pass.result;
}

BatchResult Executor::evaluate(const Weights& weights, const Rows& rows) {
  const auto count = static_cast<std::int64_t>(rows.rows.size());
  allocate(count, evaluate_.memory);
  prepare_evaluation(weights);
  Pass pass{.rows = rows, .weights = weights};
  evaluate_tiles(pass);
  pass.result.loss /= static_cast<double>(count);
  pass.result.count = count;
  return pass.result;
}

void Executor::forward(Weights& weights, const Rows& rows, Mode mode, std::uint64_t step,
                       std::span<const int> values, std::span<float* const> out) {
  const bool training = mode == Mode::Train;
  if (training) need_several_samples(rows);
  const Program& program = training ? train_forward_ : evaluate_all_;
  allocate(static_cast<std::int64_t>(rows.rows.size()), program.memory);
  if (!training) prepare_evaluation(weights);
  Pass pass{.rows = rows,
            .weights = weights,
            .moving = training ? &weights : nullptr,
            .dropout = training,
            .counter = step};
  if (!training && values.size() == 1 && values[0] == plan_.result) {
    evaluate_tiles(pass);
  } else {
    run(program.segments, pass);  // every value, as floats
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int features = plan_.values[values[i]].features;
    float* to = out[i];
    for (int tile = 0; tile < tiles_; ++tile) {
      const float* from = value(values[i], tile);
      for (int s = 0; s < valid(tile); ++s) {
        for (int f = 0; f < features; ++f) *to++ = from[f * stride_ + s];
      }
    }
  }
}

}  // namespace mase::engine::native
