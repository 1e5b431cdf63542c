// Column widths by taking from the widest column, one character at a time, down to its longest
// word.
#include "ch/fitted_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/support/terminal.h"
#include "mase/support/wrap.h"

namespace ch {

namespace {

using Rows = std::vector<std::vector<mase::Cell>>;

constexpr std::size_t kGap = 2;         // between the columns of the style Simple
constexpr std::size_t kHeaderRoom = 2;  // and what it keeps beside each header
constexpr std::size_t kLeastRoom = 20;  // for the texts that explain

std::size_t longest_word(std::string_view text) {
  std::size_t most = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    most = std::max(most, mase::visible_width(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return most;
}

struct Measure {
  std::size_t least = 0;  // without cutting a word
  std::size_t width = 0;
};

std::string text_of(const mase::Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *number);
  return "";
}

std::vector<Measure> measures(const std::vector<std::string>& headers, const Rows& rows) {
  std::vector<Measure> out;
  for (std::size_t c = 0; c < headers.size(); ++c) {
    const std::size_t header = mase::visible_width(headers[c]) + kHeaderRoom;
    Measure column{.least = header, .width = header};
    for (const auto& row : rows) {
      const std::string text = text_of(row.at(c));
      const std::size_t width = mase::visible_width(text);
      column.width = std::max(column.width, width);
      column.least = std::max(column.least, c == 0 ? width : longest_word(text));
    }
    out.push_back(column);
  }
  return out;
}

// Takes from the widest column that can spare something; the last one keeps room to explain.
bool shrink(std::vector<Measure>& columns, std::size_t width) {
  columns.back().least = std::min(std::max(columns.back().least, kLeastRoom), columns.back().width);
  const auto total = [&] {
    std::size_t sum = kGap * (columns.size() - 1);
    for (const Measure& column : columns) sum += column.width;
    return sum;
  };
  while (total() > width) {
    Measure* widest = nullptr;
    for (Measure& column : columns) {
      if (column.width <= column.least) continue;
      if (!widest || column.width >= widest->width) widest = &column;
    }
    if (!widest) return false;
    --widest->width;
  }
  return true;
}

// Between blanks only: "jsc-tiny" is one word.
std::string wrapped(const std::string& text, std::size_t width, std::string_view indent = "") {
  std::string out;
  std::size_t used = 0;
  for (std::string_view left = text; !left.empty();) {
    const std::size_t end = std::min(left.find_first_of(" \n"), left.size());
    const std::string_view word = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (word.empty()) continue;
    const std::size_t length = mase::visible_width(word);
    if (used > 0 && used + 1 + length > width) {
      out += fmt::format("\n{}", indent);
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += length;
  }
  return out;
}

std::string paragraphs(const std::vector<std::string>& headers, const Rows& rows, int width) {
  std::size_t label = 0;
  for (std::size_t c = 1; c < headers.size(); ++c) label = std::max(label, headers[c].size());
  const std::string indent(label + 4, ' ');
  const std::size_t room =
      static_cast<std::size_t>(width) > indent.size() ? std::size_t(width) - indent.size() : 1;
  std::string out;
  for (const auto& row : rows) {
    out += text_of(row.at(0)) + "\n";
    for (std::size_t c = 1; c < headers.size(); ++c) {
      const std::string text = text_of(row.at(c));
      if (text.empty()) continue;
      out += fmt::format("  {:<{}}  {}\n", headers[c], label, wrapped(text, room, indent));
    }
  }
  return out;
}

}  // namespace

std::string fitted_table(const std::vector<std::string>& headers, const Rows& rows, int width) {
  std::vector<Measure> columns = measures(headers, rows);
  if (!shrink(columns, static_cast<std::size_t>(std::max(width, 1)))) {
    return paragraphs(headers, rows, width);
  }
  Rows cells = rows;
  for (auto& row : cells) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      auto* text = std::get_if<std::string>(&row[c]);
      if (text) *text = wrapped(*text, columns[c].width);
    }
  }
  return mase::format_table(headers, cells, {.text_as_given = true}) + "\n";
}

}  // namespace ch
