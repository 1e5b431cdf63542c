#pragma once

#include <string>
#include <string_view>

// What every page of a report has in common: colours for dark and light, tables that sort.
namespace mase::train {

// The whole document around `body`. `colours` classes c0, c1, ... are defined.
std::string html_page(std::string_view title, std::string_view body, int colours);

}  // namespace mase::train
