#pragma once

#include <string>
#include <vector>

#include "mase/train/sweep/chart.h"
#include "mase/train/sweep/report.h"

namespace mase::train {

// Sections of the page of a sweep; empty where there is nothing to show. Their charts are appended
// to `charts`; the sections hold the places for them, by number. Configuration i of `all` is
// configuration i of every chart.

// Loss and accuracy by epoch, of training and of validation side by side on the same scale, read
// from the folders of the runs: thin lines of the runs, a thick one of each configuration's mean.
std::string curve_charts(const std::vector<Configuration>& all, std::vector<Chart>& charts);

// Accuracy by each setting that is a number, and by the size of the network where it differs.
std::string setting_charts(const std::vector<Configuration>& all, std::vector<Chart>& charts);

}  // namespace mase::train
