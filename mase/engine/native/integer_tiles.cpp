// Evaluation by tiles: in integers where the plan has some, in floats where a tile holds values
// that no code stands for.
#include <algorithm>
#include <vector>

#include "mase/engine/native/executor.h"

namespace mase::engine::native {

void Executor::prepare_evaluation(const Weights& weights) {
  if (prepared_ == &weights && prepared_version_ == weights.version) return;
  fold_running(weights);
  quantise_weights(weights);
  std::vector<const float*> gain;
  std::vector<const float*> shift;
  for (const NormScratch& norm : norms_) {
    gain.push_back(norm.gain.data());
    shift.push_back(norm.shift.data());
  }
  integer_.bind(
      {.weight = linear_weight_, .bias = linear_bias_, .norm_gain = gain, .norm_shift = shift});
  prepared_ = &weights;
  prepared_version_ = weights.version;
}

void Executor::evaluate_tiles(Pass& pass) {
  pass.in_order = kernels_.consecutive(pass.rows.rows.data(), std::ssize(pass.rows.rows));
  fetched_ = 0;
  for (int tile = 0; tile < tiles_; ++tile) {
    Prefetch prefetch;
    pass.ahead = {};
    if (pass.in_order) {
      pass.ahead = rows_behind(tile, pass);
    } else {
      prefetch = plan_prefetch(evaluate_.segments, 0, tile, pass);
    }
    if (!integer_.instructions().empty() && evaluate_integers(tile, pass, prefetch)) continue;
    for (const Instruction& instruction : evaluate_.segments.front().instructions) {
      prefetch.some(pass, plan_.values[0].features);
      execute(instruction, tile, pass);
    }
  }
}

// Where rows lie in order: what the next tile, or else the next batch, begins with. The processor
// recognises such a stream, but only when it is being read.
ReadAhead Executor::rows_behind(int tile, const Pass& pass) const {
  std::span<const std::uint32_t> rows;
  if (tile + 1 < tiles_) {
    rows = rows_of(tile + 1, pass);
  } else {
    rows = pass.rows.ahead.first(std::min(pass.rows.ahead.size(), static_cast<std::size_t>(tile_)));
    if (rows.empty() || rows.back() - rows.front() != rows.size() - 1) return {};
  }
  const auto width = static_cast<std::size_t>(plan_.values[0].features);
  constexpr std::size_t kLine = 64 / sizeof(float);
  return {.at = reinterpret_cast<const char*>(pass.rows.table + rows.front() * width),
          .lines = static_cast<int>(rows.size() * width / kLine)};
}

// False if the tile must be evaluated in float; nothing has been added to the result then.
bool Executor::evaluate_integers(int tile, Pass& pass, Prefetch& prefetch) {
  using Code = IntegerProgram::Code;
  const auto width = static_cast<std::size_t>(plan_.values[0].features);
  const std::span<const std::uint32_t> rows = rows_of(tile, pass);
  const float* table = pass.rows.table;
  const TileView view{.table = pass.in_order ? table + rows.front() * width : table,
                      .rows = pass.in_order ? nullptr : rows.data(),
                      .n = valid(tile),
                      .stride = stride_,
                      .values = value(0, tile) - memory_plan_->values.at[0] * stride_,
                      .at = memory_plan_->values.at.data()};
  prefetch.each = prefetch.rows.size() / integer_.instructions().size() + 1;
  for (const IntegerProgram::Instruction& instruction : integer_.instructions()) {
    prefetch.some(pass, plan_.values[0].features);
    switch (instruction.code) {
      case Code::Gather:
        gather(tile, pass);
        break;
      case Code::FloatStep:
        forward_step(instruction.step, tile, pass);
        break;
      case Code::Loss:
        loss(tile, pass);
        break;
      default:
        if (!integer_.run(instruction, view, pass.ahead)) return false;
    }
  }
  return true;
}

}  // namespace mase::engine::native
