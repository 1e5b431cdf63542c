// Lists of values, as ch sweep takes them: parts between commas, ranges of whole numbers.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "ch/options/option.h"

namespace ch {

using mase::ir::Value;

namespace {

constexpr std::int64_t kLongestRange = 10'000;

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "a..b" as the texts of its numbers; an empty list and a problem if it is none.
std::vector<std::string> range(std::string_view text, std::string& problem) {
  const std::size_t dots = text.find("..");
  const auto first = whole(text.substr(0, dots));
  const auto last = whole(text.substr(dots + 2));
  std::vector<std::string> out;
  if (!first || !last) {
    problem = fmt::format("invalid range: '{}' (write FIRST..LAST, as 0..7)", text);
  } else if (*first > *last) {
    problem = fmt::format("empty range: '{}' (the smaller number goes first)", text);
  } else if (static_cast<std::uint64_t>(*last) - static_cast<std::uint64_t>(*first) >=
             static_cast<std::uint64_t>(kLongestRange)) {
    problem = fmt::format("the range '{}' has more than {} numbers", text, kLongestRange);
  } else {
    for (std::int64_t i = *first; i <= *last; ++i) out.push_back(std::to_string(i));
  }
  return out;
}

}  // namespace

std::vector<Value> parse_list(const Option& option, std::string_view text,
                              std::vector<std::string>& problems) {
  std::vector<std::string> parts;
  std::error_code error;
  if (option.reads_file() && std::filesystem::exists(text, error)) {
    parts.emplace_back(text);
  } else {
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      std::string part(text.substr(begin, end - begin));
      begin = end + 1;
      if (option.field.type != mase::FieldType::Int || part.find("..") == std::string::npos) {
        parts.push_back(std::move(part));
        continue;
      }
      std::string problem;
      for (std::string& number : range(part, problem)) parts.push_back(std::move(number));
      if (!problem.empty()) problems.push_back(std::move(problem));
    }
  }
  std::vector<Value> values;
  for (const std::string& part : parts) {
    std::string problem;
    std::optional<Value> value = parse_value(option, part, problem);
    if (value) problem = check_value(option, *value);
    if (!problem.empty()) {
      problems.push_back(std::move(problem));
    } else if (std::find(values.begin(), values.end(), *value) != values.end()) {
      problems.push_back(fmt::format("'{}' is in the list twice", part));
    } else {
      values.push_back(*std::move(value));
    }
  }
  return values;
}

}  // namespace ch
