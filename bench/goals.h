#pragma once

#include <cstdint>
#include <string>

namespace mase::bench {

enum class Mode { Train, TrainQuantised, Eval, EvalQuantised };

inline constexpr Mode kModes[] = {Mode::Train, Mode::TrainQuantised, Mode::Eval,
                                  Mode::EvalQuantised};
const char* name(Mode mode);  // "train 8.4"
bool is_training(Mode mode);
bool is_quantised(Mode mode);

// Ratios to bare LibTorch that this project set itself; 0 = none.
struct Goal {
  double must = 0;
  double goal = 0;
};
inline constexpr std::int64_t kBestBatch = 0;  // each side at the batch that suits it best
Goal goal_of(const std::string& network, Mode mode, std::int64_t batch);

// "++" goal met, "+" must met, "--" must missed, "" none set.
const char* mark(const Goal& goal, double ratio);

}  // namespace mase::bench
