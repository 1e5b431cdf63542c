#pragma once

#include <cstdint>
#include <vector>

#include "mase/engine/native/plan.h"

// The order in which an executor runs a plan, and where what it works on lies. Instructions are
// grouped into segments that end where something must be known of the whole batch: the moments of a
// batch norm, the sums of its gradient. Within a segment a tile runs through all instructions
// before the next tile is touched.
namespace mase::engine::native {

enum class Code { Gather, Moments, Forward, Loss, Backward, NormGradient };
enum class Finish { Nothing, FoldMoments, FoldGradient };

struct Instruction {
  Code code;
  int step = -1;  // of the plan
};
struct Segment {
  std::vector<Instruction> instructions;
  Finish finish = Finish::Nothing;
  int step = -1;  // whose batch norm is folded
};
using Segments = std::vector<Segment>;

// From the rows to the loss. In training batch norms take their moments from the batch.
Segments forward_segments(const Plan& plan, bool training);
// And back. With `recompute`, what an element-wise step makes is formed once more where a gradient
// needs it, rather than kept.
Segments training_segments(const Plan& plan, bool recompute);

// Where arrays lie, by value of the plan, in numbers of one sample: `at` for tile 0, `pitch` from
// one tile to the next, 0 where all tiles use the same memory in turn.
struct Places {
  std::vector<std::int64_t> at;
  std::vector<std::int64_t> pitch;
};
struct MemoryPlan {
  Places values;
  Places gradients;         // by the gradient's home
  std::int64_t shared = 0;  // numbers that all tiles share, in front
  std::int64_t kept = 0;    // numbers of each tile
};

enum class Keep {
  Needed,      // what a later segment reads; everything else is shared by all tiles
  EveryValue,  // to be looked at when all is done
};
MemoryPlan plan_memory(const Plan& plan, const Segments& segments, Keep keep);

}  // namespace mase::engine::native
