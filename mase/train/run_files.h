#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "mase/train/checkpoint_files.h"
#include "mase/train/metrics_log.h"
#include "mase/train/position.h"
#include "mase/train/resume.h"
#include "mase/train/run_folder.h"
#include "mase/train/run_lock.h"
#include "mase/train/snapshot.h"
#include "mase/train/train.h"

namespace mase::train {

// All files of one training run: its version folder with metrics and run.json, its checkpoints.
// Without a folder in Output, or in the one-batch mode, every call does nothing.
class RunFiles {
 public:
  // `from` is what the run goes on from, or null.
  RunFiles(const FitOptions& options, const Output& output, const Resumption* from);

  bool active() const { return version_ >= 0; }
  std::int64_t version() const { return version_; }
  const RunFacts& facts() const { return facts_; }
  RunRecord& record() { return record_; }
  MetricsLog& metrics() { return metrics_; }

  void describe(const ir::Graph& graph, const data::DataSet& data, const engine::Engine& engine,
                const Schedule& schedule, bool inherited);
  // After an epoch. `improved`: it is the best so far. Checkpoints are written at once, or with the
  // next epoch's if the last ones were written a moment ago.
  void end_epoch(const engine::Program& program, const Position& position, bool improved);
  // When the run fails: the best epoch so far, if it is still to be written.
  void rescue();
  // At the end of a run that did not fail: what is pending, and the present position.
  void finish(const engine::Program& program, const Position& position);

  // Whether an epoch of this run is in a checkpoint, or will be by rescue().
  bool has_checkpoint() const { return has_best_ || has_last_ || pending_best_.has_value(); }
  // Empty if this run has none.
  std::filesystem::path best() const;
  std::filesystem::path last() const;
  // What --resume takes to go on with this run. Of an active run only.
  std::string resume_argument() const;

 private:
  io::Checkpoint snapshot(const engine::Program& program, const Position& position);
  void write(const io::Checkpoint& last);
  void flush_metrics();

  const FitOptions& options_;
  const Output& output_;
  std::int64_t version_ = -1;
  RunFacts facts_;
  RunRecord record_;
  MetricsLog metrics_;
  std::optional<RunLock> lock_;  // outlives the checkpoints
  std::unique_ptr<CheckpointFiles> checkpoints_;
  std::optional<io::Checkpoint> pending_best_;
  std::optional<std::int64_t> saved_batches_;  // where the written last.ckpt stands
  // Of the last checkpoints; of the start, so that runs of a moment write theirs once.
  std::chrono::steady_clock::time_point written_ = std::chrono::steady_clock::now();
  bool has_best_ = false;
  bool has_last_ = false;
};

}  // namespace mase::train
