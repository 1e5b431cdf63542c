#pragma once

#include <functional>

#include "mase/train/sweep/sweep.h"

namespace mase::train {

// Runs one training of a sweep to its end, from its last.ckpt where its folder has one, and tests
// it. `start` has settings, key, folder, engine's name and parameters; everything the run comes to
// is in the result, also that it failed. `on_epoch` may throw to stop it; that goes through.
RunOutcome run_job(const SweepRun& run, const engine::Engine& engine, RunOutcome start,
                   const std::vector<std::string>& command,
                   const std::function<void(const EpochEnd&)>& on_epoch);

// Thrown by on_epoch to give up a run that is not to be recorded.
struct SweepHalted {};

}  // namespace mase::train
