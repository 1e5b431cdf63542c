#pragma once

#include "mase/ir/graph.h"
#include "mase/train/resume.h"
#include "mase/train/train.h"

namespace mase::train {

// The graph that a stopped run trained: the number formats of its checkpoint on a float graph, with
// a log line. Throws Error{Usage} where the graph is quantised and the run's was not, or otherwise;
// a warning where the checkpoint, of another program, says nothing of formats.
ir::Graph as_trained(ir::Graph graph, const Resumption& from, const Output& output);

}  // namespace mase::train
