#pragma once

#include <cstdint>
#include <string>

#include "mase/support/log.h"
#include "mase/support/progress.h"
#include "mase/train/sweep/sweep.h"

namespace ch {

// "12 done, 1 failed, 27 left, ETA 00:42, best val_acc 0.7512 (learning_rate=0.01)"
std::string sweep_line(const mase::train::SweepStatus& status);
// "batch_size=64, seed=3: val_loss 0.7231, val_acc 0.7490, test_acc 0.7476 (1.2 s)"
std::string run_line(const mase::train::RunOutcome& run);

// How a sweep goes on, for a person: one moving line on a terminal, a log line per run elsewhere.
// Failed runs get a line on both.
class SweepProgress {
 public:
  explicit SweepProgress(const mase::Log& log) : log_(log) {}

  void run(const mase::train::RunOutcome& outcome);
  void progress(const mase::train::SweepStatus& status);

 private:
  const mase::Log& log_;
  mase::Progress line_{"", std::nullopt, stderr};
  std::int64_t ended_ = 0;
  std::int64_t total_ = 0;
};

}  // namespace ch
