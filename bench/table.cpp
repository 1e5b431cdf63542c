// Tables of figures.
#include "bench/table.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "mase/support/terminal.h"

namespace mase::bench {
namespace {

std::string three_digits(double value) {
  const int whole = value < 1 ? 1 : static_cast<int>(std::log10(value)) + 1;
  return fmt::format("{:.{}f}", value, std::max(0, 3 - whole));
}

}  // namespace

Table::Table(std::vector<Column> columns)
    : columns_(std::move(columns)), shown_(columns_.size(), true) {
  for (Column& column : columns_) column.width = std::max(column.width, column.title.size());
  const Terminal terminal = inspect_terminal(STDOUT_FILENO);
  if (terminal.interactive) fit(static_cast<std::size_t>(terminal.width));
  std::string header = "|";
  std::string line = "|";
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!shown_[i]) continue;
    const Column& column = columns_[i];
    header += fmt::format(" {:<{}} |", column.title, column.width);
    line += std::string(column.width + 1, '-') + (column.text ? "-|" : ":|");
  }
  fmt::print("{}\n{}\n", header, line);
}

void Table::fit(std::size_t width) {
  std::size_t needed = 1;
  for (const Column& column : columns_) needed += column.width + 3;
  std::string left_out;
  while (needed > width) {
    std::size_t worst = 0;
    for (std::size_t i = 1; i < columns_.size(); ++i) {
      if (shown_[i] && (!shown_[worst] || columns_[i].rank > columns_[worst].rank)) worst = i;
    }
    if (columns_[worst].rank == 0) break;
    shown_[worst] = false;
    needed -= columns_[worst].width + 3;
    left_out += (left_out.empty() ? "" : ", ") + columns_[worst].title;
  }
  if (!left_out.empty()) fmt::print("Left out to fit {} columns: {}.\n\n", width, left_out);
}

void Table::row(const std::vector<std::string>& cells) {
  ++rows_;
  std::string line = "|";
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!shown_[i]) continue;
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
