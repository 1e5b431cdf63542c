#pragma once

#include <optional>

#include "mase/train/resume.h"
#include "mase/train/schedule.h"
#include "mase/train/train.h"

namespace mase::train {

// What a run takes over from the checkpoint of another program: its optimiser's settings and the
// rest of its schedule.
struct Inheritance {
  engine::OptimiserOptions optimiser;
  Schedule schedule;
};

// Nothing for checkpoints of this program's own runs, which say themselves how they were started.
// What the caller asked for by name (FitOptions::asked) wins, with a warning that names the
// difference. Throws Error{Unsupported} for what cannot be continued here, with the reason
// (amsgrad, several optimisers, groups of parameters with settings of their own, schedules without
// a closed form), Error{Usage} for another optimiser than the one asked for, Error{Unreadable}.
std::optional<Inheritance> inherit(const Resumption& from, const FitOptions& options,
                                   const Output& output);

// In the mase section of a checkpoint whose run goes on with another program's optimiser and
// schedule: both are read from where that program would look for them. Holds what that place has
// no words for.
inline constexpr std::string_view kInherited = "inherited";

}  // namespace mase::train
