#pragma once

#include <string>

#include "mase/train/sweep/sweep.h"

namespace mase::train {

// What decides the outcome of a run, as 16 hexadecimal digits: the network with its initial
// weights, the data, the engine, the options and the version of this program.
std::string run_key(const SweepRun& run, const ir::Graph& graph, const engine::Engine& engine);

}  // namespace mase::train
