#pragma once

#include <string_view>

namespace mase::train {

// JavaScript that draws the charts of chart.h: the element "charts" holds their JSON, each element
// with data-chart=i gets the i-th. Elements with data-configuration=i hide and show configuration
// i; axes and lines are drawn anew for what is left, and when the window changes its width.
std::string_view chart_script();

}  // namespace mase::train
