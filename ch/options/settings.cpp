// Merging by what was really given: an option typed with its default value still beats the file.
#include "ch/options/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "mase/support/suggest.h"

namespace ch {

using mase::Diagnostics;
using mase::Location;
using mase::io::TomlNode;
using mase::ir::Value;

namespace {

std::string_view kind_of(const TomlNode& node) {
  if (node.is_table) return "a table";
  if (!node.items.empty() || node.value.is<mase::ir::List>()) return "a list";
  if (node.value.is_none()) return "\"NA\"";
  if (node.value.is<bool>()) return "a truth value";
  if (node.value.is_number()) return "a number";
  return "a text";
}

std::string_view wanted(const Option& option) {
  switch (option.type) {
    case Type::Flag:
      return "true or false";
    case Type::Int:
    case Type::PositiveInt:
      return "a whole number";
    case Type::Number:
      return "a number";
    case Type::TextList:
      return "a list of texts";
    default:
      return "a text";
  }
}

bool is_text_list(const Value& value) {
  const auto* list = value.get<mase::ir::List>();
  return list && std::all_of(list->begin(), list->end(),
                             [](const Value& item) { return item.is<std::string>(); });
}

// A file's value as the option's type; nothing if the kind does not fit.
std::optional<Value> convert(const Option& option, const TomlNode& node) {
  if (node.is_table) return std::nullopt;
  const Value value = node.to_value();
  const bool open = option.standard.is_none() || option.type == Type::PositiveInt;
  if (value.is_none()) return open ? std::optional(value) : std::nullopt;
  switch (option.type) {
    case Type::Flag:
      return value.is<bool>() ? std::optional(value) : std::nullopt;
    case Type::Int:
    case Type::PositiveInt:
      return value.is<std::int64_t>() ? std::optional(value) : std::nullopt;
    case Type::Number:
      return value.is_number() ? std::optional(value) : std::nullopt;
    case Type::TextList:
      return is_text_list(value) ? std::optional(value) : std::nullopt;
    default:
      // trainer_precision = 32 is as good as "32".
      if (const auto* number = value.get<std::int64_t>()) return Value(std::to_string(*number));
      return value.is<std::string>() ? std::optional(value) : std::nullopt;
  }
}

// Paths of a file are meant from the working directory, as in MASE, or from beside the file. Names
// of models and data sets may be paths as well.
void find_beside(const Option& option, const Location& where, Value& value) {
  const bool may_be_path =
      option.type == Type::File || option.type == Type::FileOrFolder || option.is_positional();
  auto* path = value.get<std::string>();
  std::error_code error;
  if (!may_be_path || !path || std::filesystem::exists(*path, error)) return;
  const auto beside = std::filesystem::path(where.file).parent_path() / *path;
  if (beside != *path && std::filesystem::is_regular_file(beside, error)) *path = beside.string();
}

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  for (const Option& option : options()) {
    if (option.in_table) keys.emplace_back(option.dest);
  }
  keys.emplace_back(kPassesKey);
  return keys;
}

const Absent* find_absent(std::string_view key) {
  for (const Absent& absent : absent_options()) {
    if (absent.dest == key) return &absent;
  }
  return nullptr;
}

}  // namespace

const Value& Setting::effective() const {
  if (adjusted) return *adjusted;
  if (manual) return *manual;
  if (file) return *file;
  return option->standard;
}

Settings::Settings() {
  for (const Option& option : options()) settings_.push_back({.option = &option});
}

const Setting& Settings::at(std::string_view dest) const {
  for (const Setting& setting : settings_) {
    if (setting.option->dest == dest) return setting;
  }
  mase::internal_error(fmt::format("no option '{}'", dest));
}

Setting& Settings::at(std::string_view dest) {
  return const_cast<Setting&>(static_cast<const Settings&>(*this).at(dest));
}

std::string Settings::text_or(std::string_view dest, std::string_view otherwise) const {
  const Value& found = value(dest);
  return found.is_none() ? std::string(otherwise) : found.as_text();
}

void Settings::apply(const CommandLine& line) {
  for (const Given& given : line.given) at(given.option->dest).manual = given.value;
}

void Settings::apply(const TomlNode& file, Diagnostics& diagnostics) {
  has_file_ = true;
  std::string without_effect;
  for (const auto& [key, node] : file.table) {
    if (const Absent* absent = find_absent(key)) {
      without_effect +=
          fmt::format("{}{} ({})", without_effect.empty() ? "" : ", ", key, absent->reason);
    } else if (key != kPassesKey) {
      apply_key(key, node, diagnostics);
    } else if (!node.is_table) {
      diagnostics.add(fmt::format("'{}' must be a table of passes", key), node.where,
                      "write [passes.NAME]");
    }
  }
  if (!without_effect.empty()) {
    warn(fmt::format("{}: no effect here: {}", file.where.file, without_effect));
  }
}

void Settings::apply_key(const std::string& key, const TomlNode& node, Diagnostics& diagnostics) {
  const Option* option = find_option(key);
  if (!option || !option->in_table) {
    diagnostics.add(fmt::format("unknown key '{}'", key), node.where,
                    mase::did_you_mean(key, known_keys()));
    return;
  }
  std::optional<Value> value = convert(*option, node);
  if (!value) {
    diagnostics.add(fmt::format("'{}' must be {}, got {}", key, wanted(*option), kind_of(node)),
                    node.where);
    return;
  }
  Setting& setting = at(key);
  setting.where = node.where;
  for (const Refusal& refusal : option->refused) {
    if (refusal.instead.empty() || *value != Value(refusal.value)) continue;
    setting.file = *value;
    if (setting.manual) return;
    warn(fmt::format("{}: {} = \"{}\" is not available: {}; going on with \"{}\"",
                     node.where.text(), key, refusal.value, refusal.reason, refusal.instead));
    setting.adjusted = refusal.instead;
    return;
  }
  find_beside(*option, node.where, *value);
  const std::string problem = check_value(*option, *value);
  if (!problem.empty()) {
    diagnostics.add(fmt::format("'{}': {}", key, problem), node.where);
    return;
  }
  setting.file = std::move(value);
}

void Settings::settle() {
  for (Setting& setting : settings_) {
    if (setting.option->type != Type::PositiveInt) continue;
    const auto* number = setting.effective().get<std::int64_t>();
    const bool given = setting.manual || setting.file;
    if (!given || !number || *number > 0) continue;
    warn(fmt::format("{} = {} is ignored: it is not a positive integer; going on with None",
                     setting.option->dest, *number));
    setting.adjusted = mase::ir::None{};
  }
}

mase::ir::Dict Settings::values() const {
  mase::ir::Dict values;
  for (const Setting& setting : settings_) {
    if (setting.option->in_table) {
      values.emplace_back(setting.option->dest, setting.effective());
    }
  }
  return values;
}

}  // namespace ch
