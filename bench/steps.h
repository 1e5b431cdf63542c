#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bench/goals.h"
#include "bench/networks.h"

namespace mase::bench {

// One call runs the next batch of shuffled rows through an engine: a training step with Adam, or
// an evaluation. The rows must outlive it.
std::function<void()> engine_steps(const std::string& engine, const Network& network,
                                   const Rows& rows, std::int64_t batch, Mode mode,
                                   bool deterministic = false);

// What keeps the engine from running the network, or "".
std::string engine_why_not(const std::string& engine, const Network& network, Mode mode);

}  // namespace mase::bench
