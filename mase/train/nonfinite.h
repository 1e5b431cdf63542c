#pragma once

#include <span>
#include <string>

#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/ir/graph.h"

namespace mase::train {

// Where the first value that is not a finite number comes from.
struct NonFinite {
  std::string node;   // "seq_blocks_2"; "" if every result is finite
  std::string cause;  // "node seq_blocks_2 (linear): its parameter weight holds 3 nan"
};

// Runs the rows through the network once more and looks at every result in execution order.
// A node's inputs are finite when it is named, so it (or its parameters) is the origin.
NonFinite find_nonfinite(const ir::Graph& graph, engine::Program& program,
                         const ir::Tensor& features, engine::Mode mode);
// The same for these rows of a split.
NonFinite find_nonfinite(const ir::Graph& graph, engine::Program& program, const data::Split& split,
                         std::span<const std::uint32_t> rows, engine::Mode mode);

}  // namespace mase::train
