#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mase/train/sweep/chart.h"

// What every page of a report has in common: colours for dark and light, charts, tables that sort.
namespace mase::train {

// The whole document around `body`. `colours` classes c0, c1, ... are defined.
// Elements of the body with data-chart=i get the i-th chart, see chart_script.h.
std::string html_page(std::string_view title, std::string_view body, int colours,
                      const std::vector<Chart>& charts);

}  // namespace mase::train
