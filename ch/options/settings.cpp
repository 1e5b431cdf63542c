// Merging by what was really given: an option typed with its default value still beats the file.
#include "ch/options/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "ch/options/file_value.h"
#include "mase/support/suggest.h"

namespace ch {

using mase::Diagnostics;
using mase::io::TomlNode;
using mase::ir::Value;

namespace {

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  for (const Option& option : options()) {
    if (option.in_table) keys.emplace_back(option.dest());
  }
  keys.emplace_back(kPassesKey);
  keys.emplace_back(kSweepKey);
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
  return standard;
}

Settings::Settings() {
  for (const Option& option : options())
    settings_.push_back({.option = &option, .standard = option.standard()});
}

const Setting& Settings::at(std::string_view dest) const {
  for (const Setting& setting : settings_) {
    if (setting.option->dest() == dest) return setting;
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

std::vector<Value> Settings::values_of(std::string_view dest) const {
  const Setting& setting = at(dest);
  if (!setting.values.empty()) return setting.values;
  if (setting.effective().is_none()) return {};
  return {setting.effective()};
}

void Settings::apply(const CommandLine& line) {
  for (const Given& given : line.given) {
    Setting& setting = at(given.option->dest());
    setting.manual = given.value;
    setting.values = given.values;
  }
}

void Settings::apply(const TomlNode& file, Diagnostics& diagnostics) {
  has_file_ = true;
  std::string without_effect;
  for (const auto& [key, node] : file.table) {
    if (const Absent* absent = find_absent(key)) {
      without_effect +=
          fmt::format("{}{} ({})", without_effect.empty() ? "" : ", ", key, absent->reason);
    } else if (key == kSweepKey) {
      if (!node.is_table) {
        diagnostics.add(fmt::format("'{}' must be a table of lists", key), node.where,
                        "write [sweep]");
      }
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
  Setting& setting = at(key);
  std::optional<Value> value = convert_value(*option, node);
  if (!value) {
    diagnostics.add(fmt::format("'{}' {}", key, wrong_kind(*option, node)), node.where);
    return;
  }
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
  const std::string problem = check_file_value(*option, node.where, *value);
  if (!problem.empty()) {
    (names_missing_file(*option, *value) ? missing_ : diagnostics)
        .add(fmt::format("'{}': {}", key, problem), node.where);
    return;
  }
  setting.file = std::move(value);
}

void Settings::settle() {
  for (const Setting& setting : settings_) {
    const std::string_view needed = setting.option->needs;
    if (needed.empty() || !(setting.manual || setting.file) || has(needed)) continue;
    warn(fmt::format("{} has no effect without {}", setting.option->dest(), needed));
  }
  for (Setting& setting : settings_) {
    if (setting.option->form != Form::Count) continue;
    const auto* number = setting.effective().get<std::int64_t>();
    const bool given = setting.manual || setting.file;
    const bool at_least_zero = setting.option->field.low == 0.0;
    if (!given || !number || *number >= (at_least_zero ? 0 : 1)) continue;
    if (setting.standard == Value(*number)) continue;  // it has a meaning: "no limit"
    warn(fmt::format("{} = {} is ignored: it is not {}; going on with None", setting.option->dest(),
                     *number, at_least_zero ? "0 or a positive integer" : "a positive integer"));
    setting.adjusted = mase::ir::None{};
  }
}

mase::ir::Dict Settings::values() const {
  mase::ir::Dict values;
  for (const Setting& setting : settings_) {
    if (setting.option->in_table) {
      values.emplace_back(setting.option->dest(), setting.effective());
    }
  }
  return values;
}

}  // namespace ch
