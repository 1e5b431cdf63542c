#pragma once

#include <optional>

#include "mase/ir/graph.h"
#include "mase/passes/pass.h"

namespace mase::passes {

// Mean bits per element of what layers with weights (linear) read and hold, weighted by elements:
// the width of a quantised argument, 32 of a float one. Absent if the graph has no such layer.
struct AverageBits {
  std::optional<double> data;  // of data_in_0
  std::optional<double> weight;

  ir::Value to_value() const;  // {"data_avg_bit": ..., "w_avg_bit": ...}
};

// Needs the shapes that add_common_metadata finds; Error{Usage} without them.
AverageBits calculate_avg_bits(const ir::Graph& graph);

extern const Pass kCalculateAvgBits;

}  // namespace mase::passes
