#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/engine/native/plan.h"
#include "mase/ir/graph.h"

// Runs a plan of the native engine the plain way: whole batch, one step after the other, float64,
// loops one can read. The oracle of the executor: same plan, none of its tiles, segments, fused
// passes or vector kernels. Windows (convolutions, poolings) are not among its steps.
namespace mase::engine::test {

struct Reference {
  double loss = 0;  // mean cross entropy
  std::int64_t correct = 0;
  std::vector<double> logits;    // [sample][class]
  std::vector<double> gradient;  // of the loss, in the layout of the plan's flat parameters
  ir::State moved;               // buffers afterwards (training)
};

// `features` [N, ...] float32 and `labels` [N] int64; parameters and buffers are the graph's. In
// training, dropout draws the masks of (seed, step).
Reference run_reference(const native::Plan& plan, const ir::Graph& graph,
                        const ir::Tensor& features, const ir::Tensor& labels, Mode mode,
                        std::uint64_t seed = 0, std::uint64_t step = 0);

}  // namespace mase::engine::test
