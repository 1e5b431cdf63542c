#pragma once

#include <array>
#include <string_view>

#include "mase/train/sweep/sweep.h"

namespace mase::train {

// The measurements of a run, one row each: what state.json, the tables and the page go through.
struct MeasuredRow {
  std::string_view name;
  double Measured::*value;
  std::string_view title;  // a column of the tables; "" = not shown there
  bool higher_is_better = false;
  bool ranks = true;  // a sweep may be ranked by it, if it is shown
  // Where the table has to fit: columns of a greater number are left out first; 0 stays.
  int importance = 0;

  // A number of epochs, which is counted, not averaged.
  bool counts() const { return value == &Measured::best_epoch; }
};

// Of losses and accuracies, "last" are those after the last epoch, "best" those after the epoch
// with the lowest validation loss, whose weights are tested.
inline constexpr std::array kMeasured{
    MeasuredRow{"train_loss_step", &Measured::train_loss_step, ""},
    MeasuredRow{"train_loss_epoch", &Measured::train_loss_epoch, "train loss (last)", false, true,
                2},
    MeasuredRow{"train_acc_epoch", &Measured::train_acc_epoch, "", true},
    MeasuredRow{"val_loss_epoch", &Measured::val_loss_epoch, "val loss (last)", false, false, 5},
    MeasuredRow{"val_acc_epoch", &Measured::val_acc_epoch, "", true},
    MeasuredRow{"best_epoch", &Measured::best_epoch, "best epoch", false, false, 6},
    MeasuredRow{"best_val_loss", &Measured::best_val_loss, "val loss (best)", false, true, 1},
    MeasuredRow{"best_val_acc", &Measured::best_val_acc, "val acc (best)", true, true, 3},
    MeasuredRow{"test_loss", &Measured::test_loss, "test loss (best)", false, true, 7},
    MeasuredRow{"test_acc", &Measured::test_acc, "test acc (best)", true, true, 4},
};

}  // namespace mase::train
