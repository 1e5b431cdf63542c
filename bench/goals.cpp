// What the native engine is to reach, each in the same run as its rival.
#include "bench/goals.h"

namespace mase::bench {
namespace {

struct GoalRow {
  const char* network;
  Mode mode;
  std::int64_t batch;
  Goal goal;
};

constexpr GoalRow kGoals[] = {
    {"jsc-toy", Mode::Train, 64, {90, 140}},
    {"jsc-toy", Mode::Train, 256, {35, 55}},
    {"jsc-toy", Mode::Train, 1024, {15, 21}},
    {"jsc-toy", Mode::Train, 4096, {10, 15}},
    {"jsc-s-like", Mode::Train, 256, {6.5, 8.2}},
    {"jsc-s-like", Mode::Train, 1024, {3.5, 4.2}},
    {"jsc-s-like", Mode::Train, 4096, {2.5, 3.2}},
    {"mlp", Mode::Train, 256, {4, 5}},
    {"mlp", Mode::Train, 1024, {2.3, 2.9}},
    {"jsc-toy", Mode::TrainQuantised, 256, {50, 78}},
    {"jsc-s-like", Mode::TrainQuantised, 256, {9, 12}},
    {"jsc-toy", Mode::EvalQuantised, kBestBatch, {12, 25}},
    {"jsc-s-like", Mode::EvalQuantised, kBestBatch, {5, 8}},
    {"lenet5", Mode::Train, 256, {2.5, 3.5}},
    {"lenet5", Mode::Eval, 256, {4, 6}},
};

}  // namespace

const char* name(Mode mode) {
  switch (mode) {
    case Mode::Train:
      return "train";
    case Mode::TrainQuantised:
      return "train 8.4";
    case Mode::Eval:
      return "eval";
    case Mode::EvalQuantised:
      return "eval 8.4";
  }
  return "";
}

bool is_training(Mode mode) {
  return mode == Mode::Train || mode == Mode::TrainQuantised;
}

bool is_quantised(Mode mode) {
  return mode == Mode::TrainQuantised || mode == Mode::EvalQuantised;
}

Goal goal_of(const std::string& network, Mode mode, std::int64_t batch) {
  for (const GoalRow& row : kGoals) {
    if (network == row.network && mode == row.mode && batch == row.batch) return row.goal;
  }
  return {};
}

const char* mark(const Goal& goal, double ratio) {
  if (goal.must == 0 || ratio == 0) return "";
  if (ratio >= goal.goal) return "++";
  return ratio >= goal.must ? "+" : "--";
}

}  // namespace mase::bench
