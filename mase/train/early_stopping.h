#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mase/train/position.h"
#include "mase/train/train.h"

// Stopping once a metric has not improved for some epochs: Lightning's EarlyStopping. What it
// remembers is part of the Position, so that a resumed run stops where an uninterrupted one does.
namespace mase::train {

// The metrics that can be watched: what is measured once an epoch. Whether less or more of it is
// better is known of each.
std::vector<std::string_view> monitors();
bool more_is_better(std::string_view monitor);
bool needs_validation(std::string_view monitor);

// Looks at the epoch just measured (its numbers are in `position`, which still stands in it).
void watch(const EarlyStopping& options, Position& position);
bool has_stopped(const EarlyStopping& options, const Position& position);
// Why it stops, in Lightning's words.
std::string stopping_text(const EarlyStopping& options, const Position& position);

// The name and the state of Lightning's callback in its checkpoints, and the way back: what a
// checkpoint of Lightning remembers of the same metric, if it does, goes into `position`.
std::pair<std::string, ir::Dict> stopping_callback(const EarlyStopping& options,
                                                   const Position& position);
void take_stopping(const ir::Dict& callbacks, const EarlyStopping& options, Position& position);

}  // namespace mase::train
