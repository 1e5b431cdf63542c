// The model summary before training, in the layout Lightning 2.2 users know: the network, the loss
// and the metrics with their parameter counts, then totals.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "mase/train/text.h"
#include "mase/train/train.h"

namespace mase::train {
namespace {

std::string with_commas(std::int64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::ptrdiff_t i = std::ssize(digits) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

}  // namespace

std::string readable_count(std::int64_t number) {
  constexpr std::array<char, 5> kUnits{' ', 'K', 'M', 'B', 'T'};
  std::size_t unit = 0;
  std::int64_t divisor = 1;
  while (number / divisor >= 1000 && unit + 1 < kUnits.size()) {
    divisor *= 1000;
    ++unit;
  }
  const std::int64_t whole = number / divisor;
  if (unit == 0 || whole >= 100) return fmt::format("{} {}", with_commas(whole), kUnits[unit]);
  const double scaled = static_cast<double>(number) / static_cast<double>(divisor);
  return fmt::format("{:.1f} {}", scaled, kUnits[unit]);
}

std::string print_model_summary(const ir::Graph& graph) {
  const std::string count = readable_count(graph.parameter_count());
  const std::string none = readable_count(0);
  const std::vector<std::array<std::string, 4>> rows{
      {" ", "Name", "Type", "Params"},
      {"0", "model", graph.class_name, count},
      {"1", "loss_fn", "CrossEntropyLoss", none},
      {"2", "acc_train", "MulticlassAccuracy", none},
      {"3", "acc_val", "MulticlassAccuracy", none},
      {"4", "acc_test", "MulticlassAccuracy", none},
      {"5", "loss_val", "MeanMetric", none},
      {"6", "loss_test", "MeanMetric", none},
  };
  std::array<std::size_t, 4> width{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  }
  std::size_t total_width = 3 * (width.size() + 1);
  for (const std::size_t w : width) total_width += w;
  const std::string rule(total_width, '-');

  std::string text;
  for (const auto& row : rows) {
    text += fmt::format("{:<{}} | {:<{}} | {:<{}} | {:<{}}\n", row[0], width[0], row[1], width[1],
                        row[2], width[2], row[3], width[3]);
    if (&row == &rows.front()) text += rule + "\n";
  }
  text += rule + "\n";
  // Four bytes per parameter, whatever the precision computed in.
  const double megabytes = static_cast<double>(graph.parameter_count()) * 4.0 / 1e6;
  text += fmt::format("{:<10}Trainable params\n", count);
  text += fmt::format("{:<10}Non-trainable params\n", none);
  text += fmt::format("{:<10}Total params\n", count);
  text += fmt::format("{:<10}Total estimated model params size (MB)\n",
                      fmt::format("{:.3f}", megabytes));
  return text;
}

}  // namespace mase::train
