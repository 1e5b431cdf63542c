// Tables of figures.
#include "bench/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace mase::bench {
namespace {

std::string three_digits(double value) {
  const int whole = value < 1 ? 1 : static_cast<int>(std::log10(value)) + 1;
  return fmt::format("{:.{}f}", value, std::max(0, 3 - whole));
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::string header = "|";
  std::string line = "|";
  for (Column& column : columns_) {
    column.width = std::max(column.width, column.title.size());
    header += fmt::format(" {:<{}} |", column.title, column.width);
    line += std::string(column.width + 1, '-') + (column.text ? "-|" : ":|");
  }
  fmt::print("{}\n{}\n", header, line);
}

void Table::row(const std::vector<std::string>& cells) const {
  std::string line = "|";
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string cell = i < cells.size() ? cells[i] : "";
    line += columns_[i].text ? fmt::format(" {:<{}} |", cell, columns_[i].width)
                             : fmt::format(" {:>{}} |", cell, columns_[i].width);
  }
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

std::string short_number(double value) {
  if (!(value > 0)) return "-";
  if (value >= 1e6) return three_digits(value / 1e6) + " M";
  if (value >= 1e4) return three_digits(value / 1e3) + " k";
  return three_digits(value);
}

std::string short_ratio(double value) {
  if (!(value > 0)) return "-";
  if (value < 1) return fmt::format("{:.2f}", value);
  return value < 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

}  // namespace mase::bench
