#pragma once

#include <cstdint>
#include <limits>

#include "mase/ir/value.h"
#include "mase/support/result.h"
#include "mase/train/metrics.h"

namespace mase::train {

// Where a run stands: all that an exact resume needs besides the weights and the optimiser's
// memory. Always at an update, so no gradients are pending.
struct Position {
  std::int64_t epoch = 0;      // in work, from 0; = completed epochs
  std::int64_t batch = 0;      // of that epoch, done; all of them = validation is next
  std::int64_t step = 0;       // optimiser updates since the start
  std::int64_t batches = 0;    // since the start: seeds what is random inside the network
  Metrics train;               // of the epoch in work
  double train_loss_step = 0;  // of the last batch
  double train_acc_step = 0;
  std::int64_t measured_epoch = -1;  // the last one whose training was measured; -1 = none was
  double train_loss_epoch = 0;       // of that epoch
  double train_acc_epoch = 0;
  double val_loss_epoch = 0;
  double val_acc_epoch = 0;
  double best_loss = std::numeric_limits<double>::infinity();  // lowest val_loss_epoch so far
  std::int64_t best_epoch = -1;
  double stopping_best = 0;          // of the metric that early stopping watches
  std::int64_t stopping_epoch = -1;  // when that was; -1 = it has seen none
  std::int64_t stopping_wait = 0;    // epochs without an improvement since

  bool validated() const { return best_epoch >= 0; }  // at least one epoch was
  bool measured() const { return measured_epoch >= 0; }
};

ir::Dict to_dict(const Position& position);
// An error names the key that is missing or no number, or says why no run can stand there.
Result<Position> position_from(const ir::Value& dict);

}  // namespace mase::train
