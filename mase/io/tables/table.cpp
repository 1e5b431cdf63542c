// What all table readers share.
#include "mase/io/tables/table.h"

#include <fmt/format.h>

#include <charconv>

namespace mase::io {
namespace {

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const char* last = text.data() + text.size();
  const auto [end, code] = std::from_chars(text.data(), last, value);
  if (code != std::errc{} || end != last) return std::nullopt;
  return value;
}

}  // namespace

void Categories::add(std::string text, std::int64_t number) {
  const auto value = number_in(text);
  has_values_ = has_values_ || value.has_value();
  categories_.push_back({std::move(text), number, value});
}

std::int64_t Categories::of(std::string_view cell) const {
  for (const Category& category : categories_) {
    if (category.text == cell) return category.number;
  }
  const auto value = number_in(cell);
  return value ? of(*value) : -1;
}

std::int64_t Categories::of(double cell) const {
  for (const Category& category : categories_) {
    if (has_values_ ? category.value == cell : static_cast<double>(category.number) == cell) {
      return category.number;
    }
  }
  return -1;
}

std::string Categories::text() const {
  constexpr std::size_t kMostShown = 20;
  std::string out;
  for (std::size_t i = 0; i < categories_.size(); ++i) {
    if (i == kMostShown) return out + fmt::format(", ... ({} in all)", categories_.size());
    out += fmt::format("{}{}", i == 0 ? "" : ", ", brief(categories_[i].text));
  }
  return out;
}

void Table::categorise(std::size_t column, Categories categories) {
  categories_[column] = std::move(categories);
}

Location Table::where(std::int64_t) const {
  return {.file = path_.string()};
}

ReadError Table::error(std::string message) const {
  return {std::move(message), {.file = path_.string()}};
}

const Categories* Table::categories(std::size_t column) const {
  const auto found = categories_.find(column);
  return found == categories_.end() ? nullptr : &found->second;
}

ReadError Table::no_category(std::size_t column, std::int64_t row, std::string_view cell) const {
  return error(fmt::format("row {} (counted from 0), column {}: '{}' is none of {}", row,
                           brief(columns_.at(column)), brief(cell), categories_.at(column).text()));
}

Status Table::categorise_numbers(std::size_t column, std::int64_t first, std::span<double> values,
                                 std::size_t step) const {
  const Categories* categories = this->categories(column);
  if (categories == nullptr) return std::monostate{};
  for (std::size_t at = 0; at < values.size(); at += step, ++first) {
    const std::int64_t number = categories->of(values[at]);
    if (number < 0) return no_category(column, first, fmt::format("{}", values[at]));
    values[at] = static_cast<double>(number);
  }
  return std::monostate{};
}

std::string brief(std::string_view text) {
  constexpr std::size_t kMostShown = 60;
  const bool cut = text.size() > kMostShown;
  if (cut) {
    std::size_t end = kMostShown;  // not within a UTF-8 character
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end);
  }
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return cut ? out + "..." : out;
}

}  // namespace mase::io
