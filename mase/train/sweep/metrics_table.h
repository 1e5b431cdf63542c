#pragma once

#include <array>
#include <string_view>

#include "mase/train/sweep/sweep.h"

namespace mase::train {

// The measurements of a run, one row each: what state.json, the tables and the page go through.
struct MeasuredRow {
  std::string_view name;
  double Measured::*value;
  std::string_view title;  // a column of the printed table; "" = not shown there
  bool higher_is_better = false;
};

inline constexpr std::array kMeasured{
    MeasuredRow{"train_loss_step", &Measured::train_loss_step, ""},
    MeasuredRow{"train_loss_epoch", &Measured::train_loss_epoch, "train loss"},
    MeasuredRow{"train_acc_epoch", &Measured::train_acc_epoch, "", true},
    MeasuredRow{"val_loss_epoch", &Measured::val_loss_epoch, ""},
    MeasuredRow{"val_acc_epoch", &Measured::val_acc_epoch, "", true},
    MeasuredRow{"best_epoch", &Measured::best_epoch, ""},
    MeasuredRow{"best_val_loss", &Measured::best_val_loss, "val loss"},
    MeasuredRow{"best_val_acc", &Measured::best_val_acc, "val acc", true},
    MeasuredRow{"test_loss", &Measured::test_loss, "test loss"},
    MeasuredRow{"test_acc", &Measured::test_acc, "test acc", true},
};

}  // namespace mase::train
