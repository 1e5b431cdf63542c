// Maps of columns as values of an option, by the rows of data::column_keys().
#include "ch/options/columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "mase/support/suggest.h"

namespace ch {

using mase::data::ColumnKey;
using mase::ir::List;
using mase::ir::Value;

namespace {

std::vector<std::string> key_names() {
  std::vector<std::string> names;
  for (const ColumnKey& key : mase::data::column_keys()) names.emplace_back(key.name);
  return names;
}

bool is_key(std::string_view name) {
  const auto names = key_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string unknown_key(std::string_view name) {
  std::string near = mase::did_you_mean(name, key_names());
  if (near.empty()) near = fmt::format("there are {}", fmt::join(key_names(), ", "));
  return fmt::format("unknown part '{}' ({})", name, near);
}

// A name as a file may write it, as a text; nothing for what is none.
std::optional<Value> as_name(const Value& value) {
  if (value.is<std::string>()) return value;
  if (value.is<std::int64_t>() || value.is<double>() || value.is<bool>()) {
    return Value(mase::ir::repr(value));
  }
  return std::nullopt;
}

std::optional<Value> as_names(const Value& value) {
  List out;
  const auto* list = value.get<List>();
  for (const Value& item : list ? *list : List{value}) {
    const auto name = as_name(item);
    if (!name) return std::nullopt;
    out.push_back(*name);
  }
  return Value(std::move(out));
}

}  // namespace

std::optional<Value> parse_columns(std::string_view text, std::string& problem) {
  const std::size_t equals = text.find('=');
  const std::string key(text.substr(0, equals));
  if (equals == std::string_view::npos) {
    problem = fmt::format("expected PART=NAME,..., got '{}' (the parts are {})", text,
                          fmt::join(key_names(), ", "));
    return std::nullopt;
  }
  if (!is_key(key)) {
    problem = unknown_key(key);
    return std::nullopt;
  }
  List names;
  for (std::size_t begin = equals + 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return Value(mase::ir::Dict{{key, Value(std::move(names))}});
}

std::string merge_columns(Value& value, const Value& more) {
  for (const auto& [key, names] : more.as_dict()) {
    if (value.find(key)) return fmt::format("'{}' is given twice", key);
    value.get<mase::ir::Dict>()->emplace_back(key, names);
  }
  return check_columns(value);
}

std::string check_columns(Value& value) {
  if (!value.is<mase::ir::Dict>()) {
    return fmt::format("must be a table of {}", fmt::join(key_names(), ", "));
  }
  for (auto& [key, names] : *value.get<mase::ir::Dict>()) {
    if (!is_key(key)) return unknown_key(key);
    auto list = as_names(names);
    if (!list) return fmt::format("{} must be a text or a list of texts", key);
    if (list->as_list().empty()) return fmt::format("{} is an empty list", key);
    names = *std::move(list);
  }
  mase::data::ColumnMap map = column_map(value);
  return fmt::format("{}", fmt::join(mase::data::expand(map), "; "));
}

mase::data::ColumnMap column_map(const Value& value) {
  mase::data::ColumnMap map;
  if (value.is_none()) return map;
  for (const ColumnKey& key : mase::data::column_keys()) {
    const Value* names = value.find(key.name);
    if (!names) continue;
    for (const Value& name : names->as_list()) (map.*key.list).push_back(name.as_text());
  }
  return map;
}

std::string_view columns_help() {
  static const std::string text = [] {
    std::string parts;
    for (const ColumnKey& key : mase::data::column_keys()) {
      parts += fmt::format("{}{}=NAME,... ({})", parts.empty() ? "" : ", ", key.name, key.help);
    }
    return fmt::format(
        "which columns of a table are used; given once for each part: {}. "
        "'X[0..15]' names columns of a matrix. Files say it in [data].",
        parts);
  }();
  return text;
}

}  // namespace ch
