#pragma once

#include <array>
#include <filesystem>
#include <vector>

namespace mase::train {

// What a run measured after each epoch; NaN where it did not.
struct EpochRow {
  double epoch = 0;  // from 0
  double train_loss;
  double train_acc;
  double val_loss;
  double val_acc;
};

// From metrics.csv of the newest run in a project folder; what cannot be read is left out.
std::vector<EpochRow> read_curves(const std::filesystem::path& project);

}  // namespace mase::train
