// What users say of the columns of a table of their own: reading it and its checks.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "mase/data/columns.h"

namespace mase::data {
namespace {

constexpr std::size_t kMostFeatures = 4096;  // as many as a cache entry holds
constexpr std::size_t kMostClasses = 256;    // a byte for each row while rows are read

// The matrix and the ends of "X[0..15]".
struct Range {
  std::string_view matrix;
  std::size_t first = 0;
  std::size_t last = 0;
};

std::optional<Range> parse_range(std::string_view name) {
  const std::size_t open = name.rfind('[');
  if (open == std::string_view::npos || open == 0 || !name.ends_with(']')) return std::nullopt;
  Range out{.matrix = name.substr(0, open)};
  const char* at = name.data() + open + 1;
  const char* end = name.data() + name.size() - 1;
  const auto first = std::from_chars(at, end, out.first);
  if (first.ec != std::errc{} || end - first.ptr < 3 || std::string_view(first.ptr, 2) != "..") {
    return std::nullopt;
  }
  const auto last = std::from_chars(first.ptr + 2, end, out.last);
  if (last.ec != std::errc{} || last.ptr != end) return std::nullopt;
  return out;
}

void expand_names(std::vector<std::string>& names, std::string_view key,
                  std::vector<std::string>& problems) {
  std::vector<std::string> out;
  for (std::string& name : names) {
    const auto range = parse_range(name);
    if (!range) {
      out.push_back(std::move(name));
      continue;
    }
    if (range->last < range->first || range->last - range->first >= kMostFeatures) {
      problems.push_back(fmt::format("{}: '{}' is not a range of at most {} columns", key,
                                     io::brief(name), kMostFeatures));
      continue;
    }
    for (std::size_t i = range->first; i <= range->last; ++i) {
      out.push_back(fmt::format("{}[{}]", range->matrix, i));
    }
  }
  names = std::move(out);
}

void check_names(const std::vector<std::string>& names, std::string_view key,
                 std::vector<std::string>& problems) {
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (name.empty()) {
      problems.push_back(fmt::format("{}: an empty name", key));
    } else if (!seen.insert(name).second) {
      problems.push_back(fmt::format("{}: '{}' is named twice", key, io::brief(name)));
    }
  }
}

void check_sizes(const ColumnMap& map, std::vector<std::string>& problems) {
  const std::size_t hot = map.target.size();
  const std::size_t classes = map.classes.empty() ? hot : map.classes.size();
  if (map.features.size() > kMostFeatures) {
    problems.push_back(fmt::format("features: {} are named, at most {} can be used",
                                   map.features.size(), kMostFeatures));
  }
  if (map.classes.size() == 1) problems.push_back("classes: one class leaves nothing to learn");
  if (classes > kMostClasses) {
    problems.push_back(fmt::format("{} classes are more than the {} that can be told apart",
                                   classes, kMostClasses));
  }
  if (hot > 1 && classes != hot) {
    problems.push_back(
        fmt::format("target names {} columns, one for each class, but there are {} "
                    "classes",
                    hot, classes));
  }
}

}  // namespace

std::span<const ColumnKey> column_keys() {
  static constexpr std::array kKeys = {
      ColumnKey{"features", "columns that are fed to the network, in this order",
                &ColumnMap::features},
      ColumnKey{"target", "column that tells the class, or one column for each class (one-hot)",
                &ColumnMap::target},
      ColumnKey{"classes",
                "classes in the order of their numbers, as the target column spells them",
                &ColumnMap::classes}};
  return kKeys;
}

std::vector<std::string> expand(ColumnMap& map) {
  std::vector<std::string> problems;
  expand_names(map.features, "features", problems);
  expand_names(map.target, "target", problems);
  for (const ColumnKey& key : column_keys()) check_names(map.*key.list, key.name, problems);
  for (const std::string& name : map.target) {
    if (std::find(map.features.begin(), map.features.end(), name) != map.features.end()) {
      problems.push_back(fmt::format(
          "'{}' is both a feature and the target: nothing is left to learn", io::brief(name)));
    }
  }
  check_sizes(map, problems);
  return problems;
}

std::string text(const ColumnMap& map) {
  std::string out;
  for (const ColumnKey& key : column_keys()) {
    const auto& list = map.*key.list;
    if (!list.empty()) out += fmt::format("{} = {}\n", key.name, list);
  }
  return out;
}

}  // namespace mase::data
