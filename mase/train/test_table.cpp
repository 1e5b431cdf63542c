// The table after `ch test`: metrics in alphabetical order, centred in two columns between rules of
// the terminal's width.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "mase/ir/value.h"
#include "mase/train/train.h"

namespace mase::train {
namespace {

std::string centred(std::string_view text, std::size_t width) {
  const std::size_t blanks = width > text.size() ? width - text.size() : 0;
  return std::string(blanks / 2, ' ') + std::string(text) + std::string(blanks - blanks / 2, ' ');
}

// Metrics are single-precision values; all digits of their double are shown.
std::string metric(double value) {
  return ir::repr(static_cast<double>(static_cast<float>(value)));
}

}  // namespace

std::string print_test_table(const TestResult& result, int width) {
  const std::array<std::array<std::string, 2>, 3> rows{{
      {"Test metric", "DataLoader 0"},
      {"test_acc_epoch", metric(result.accuracy)},
      {"test_loss_epoch", metric(result.loss)},
  }};
  std::size_t column = 25;
  for (const auto& row : rows) {
    for (const std::string& cell : row) column = std::max(column, cell.size());
  }
  std::string rule;
  for (int i = 0; i < std::max(width, 1); ++i) rule += "─";
  rule += "\n";

  std::string text = rule;
  for (const auto& row : rows) {
    std::string line = centred(row[0], column) + centred(row[1], column);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
    if (&row == &rows.front()) text += rule;
  }
  return text + rule;
}

}  // namespace mase::train
