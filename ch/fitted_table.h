#pragma once

#include <string>
#include <vector>

#include "mase/support/table.h"

namespace ch {

// A table of at most `width` columns in which no word is cut: texts are wrapped between words, the
// widest columns first, those of the first column not at all. Where no such table has room for the
// last column, which explains, each row becomes a paragraph instead: the first cell, then a line
// "header  text" for each other one. Ends with a line break.
std::string fitted_table(const std::vector<std::string>& headers,
                         const std::vector<std::vector<mase::Cell>>& rows, int width);

}  // namespace ch
