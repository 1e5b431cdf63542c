#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mase/ir/value.h"

// Learning rates over the course of a run: PyTorch's schedules in closed form, as they can be told
// from what their state_dict() holds.
namespace mase::train {

enum class ScheduleKind {
  None,
  Cosine,
  Step,
  MultiStep,
  Exponential,
  Constant,
  Linear,
  Polynomial
};

struct Schedule {
  ScheduleKind kind = ScheduleKind::None;
  double base = 0;          // rate before any change
  double floor = 0;         // Cosine: what it falls to (eta_min)
  double factor = 1;        // Step, MultiStep, Exponential: gamma; Constant: factor; Linear: start
  double end = 1;           // Linear: end_factor
  double power = 1;         // Polynomial
  std::int64_t length = 0;  // Cosine: T_max; Step: step_size; else total_iters
  std::vector<std::pair<std::int64_t, std::int64_t>> milestones = {};  // MultiStep: when, how often
  bool by_step = false;    // steps are counted, not epochs
  std::int64_t ahead = 0;  // the schedule's own count is so much greater

  // The rate in an epoch (or step, where `by_step`), from 0.
  double rate(std::int64_t count) const;
  std::string text() const;  // "CosineAnnealingLR (T_max 5, eta_min 0)"
};

// The schedule of a state_dict() and its own count (last_epoch), unshifted: `ahead` is 0. A
// schedule that is not here throws Error{Unsupported} with its name, numbers that are none
// Error{Unreadable}. An empty dictionary is the constant rate `rate`.
struct ReadSchedule {
  Schedule schedule;
  std::int64_t count = 0;
};
ReadSchedule read_schedule(const ir::Dict& state, double rate);

// The number that a value of a checkpoint is: an int, a float, or a tensor of one element.
std::optional<double> number_of(const ir::Value& value);

// The state_dict() of PyTorch's schedule after `count` epochs (or steps); empty for None.
ir::Dict write_schedule(const Schedule& schedule, std::int64_t count);

}  // namespace mase::train
