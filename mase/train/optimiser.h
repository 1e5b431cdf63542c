#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mase/engine/engine.h"

// The optimisers a run can ask for by name, with what belongs to each: PyTorch's class name (it
// names the learning-rate tag "lr-Adam"), the floor of the cosine schedule, a fixed weight decay.
namespace mase::train {

// "adam", "adamw", "sgd": the choices of --training-optimizer, sorted.
std::vector<std::string_view> optimiser_names();

// Options of an optimiser by name. SGD's weight decay is fixed at 5e-4 whatever is asked for.
// Throws Error{Usage} "Unsupported optimizer name <name>" with the nearest name.
engine::OptimiserOptions optimiser_options(std::string_view name, double learning_rate,
                                           double weight_decay);

std::string_view name(engine::OptimiserKind kind);          // "adam"
std::string_view class_name(engine::OptimiserKind kind);    // "Adam"
std::string learning_rate_tag(engine::OptimiserKind kind);  // "lr-Adam"
double minimum_learning_rate(engine::OptimiserKind kind);   // 1e-6; 0 for SGD

}  // namespace mase::train
