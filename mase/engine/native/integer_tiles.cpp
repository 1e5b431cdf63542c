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
  pass.in_order = consecutive(pass.rows.rows);
  for (int tile = 0; tile < tiles_; ++tile) {
    Prefetch prefetch = ahead_of(eval_program_, 0, tile, pass);
    if (!integer_.instructions().empty() && evaluate_integers(tile, pass, prefetch)) continue;
    for (const Instruction& instruction : eval_program_.front().instructions) {
      prefetch.some(pass, plan_.values[0].features);
      execute(instruction, tile, pass);
    }
  }
}

// False if the tile must be evaluated in float; nothing has been added to the result then.
bool Executor::evaluate_integers(int tile, Pass& pass, Prefetch& prefetch) {
  using Code = IntegerProgram::Code;
  const TileView view{.table = pass.rows.table,
                      .rows = rows_of(tile, pass).data(),
                      .n = valid(tile),
                      .stride = stride_,
                      .values = value(0, tile) - arrays_->values.at[0] * stride_,
                      .at = arrays_->values.at.data()};
  const std::size_t count = integer_.instructions().size();
  const auto width = static_cast<std::size_t>(plan_.values[0].features) * sizeof(float);
  prefetch.each = prefetch.rows.size() / count + 1;
  // Rows in order are one block of memory.
  const auto* ahead = reinterpret_cast<const char*>(pass.rows.table);
  std::size_t left = 0;
  if (pass.in_order && tile + 1 < tiles_) {
    ahead += prefetch.rows.front() * width;
    left = prefetch.rows.size() * width;
  }
  const std::size_t piece = (left / count + 64) / 64 * 64;
  for (const IntegerProgram::Instruction& instruction : integer_.instructions()) {
    if (left > 0) {
      const std::size_t bytes = std::min(piece, left);
      for (std::size_t b = 0; b < bytes; b += 64) __builtin_prefetch(ahead + b);
      ahead += bytes;
      left -= bytes;
    } else if (!pass.in_order) {
      prefetch.some(pass, plan_.values[0].features);
    }
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
        if (!integer_.run(instruction, view)) return false;
    }
  }
  return true;
}

}  // namespace mase::engine::native
