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
  double train_loss_epoch = 0;  // of the last completed epoch
  double train_acc_epoch = 0;
  double val_loss_epoch = 0;
  double val_acc_epoch = 0;
  double best_loss = std::numeric_limits<double>::infinity();  // lowest val_loss_epoch so far
  std::int64_t best_epoch = -1;

  bool validated() const { return best_epoch >= 0; }  // at least one epoch was
};

ir::Dict to_dict(const Position& position);
// An error names the key that is missing or no number.
Result<Position> position_from(const ir::Value& dict);

}  // namespace mase::train
