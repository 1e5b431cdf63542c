#pragma once

#include <cstdint>
#include <filesystem>

#include "mase/engine/engine.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/train/position.h"
#include "mase/train/schedule.h"
#include "mase/train/train.h"

namespace mase::train {

// What a checkpoint of this run holds besides weights, optimiser and position.
struct RunFacts {
  const FitOptions* options = nullptr;  // with the optimiser that is really used
  Schedule schedule;                    // of the learning rate
  bool inherited = false;               // optimiser and schedule are another program's
  std::int64_t version = -1;
  std::filesystem::path best;  // where the checkpoints of this run lie
  std::filesystem::path last;
  std::int64_t train_rows = 0;
  std::string data_hash;
  std::string engine;
  ir::Dict quantisation;        // the network's number formats, empty for a float one
  std::string instruction_set;  // Engine::instruction_set
};

inline constexpr std::int64_t kSnapshotFormat = 1;  // of the `mase` section

// The checkpoint of a program at a position: Lightning's keys for everyone, and under `mase` what
// an exact resume needs. `files` are the sizes of the metric files at this moment.
io::Checkpoint make_snapshot(const engine::Program& program, const Position& position,
                             const RunFacts& facts, const ir::Dict& files);

// The options that decide the course of a run, by name: what a resumed run is compared in.
ir::Dict course_of(const RunFacts& facts);

}  // namespace mase::train
