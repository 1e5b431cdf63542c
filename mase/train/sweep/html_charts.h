#pragma once

#include <string>
#include <vector>

#include "mase/train/sweep/report.h"

namespace mase::train {

// Sections of the page of a sweep; empty where there is nothing to show.

// Validation loss and accuracy by epoch (of training where nothing was validated), read from the
// folders of the runs: thin lines of the runs, a thick one of each configuration's mean.
std::string curve_charts(const std::vector<Configuration>& all);

// Accuracy by each setting that is a number, and by the size of the network where it differs.
std::string setting_charts(const std::vector<Configuration>& all);

}  // namespace mase::train
