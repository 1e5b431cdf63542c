// The checking of a pass's table against its option rows: names, types, choices, ranges, all
// problems at once.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "mase/passes/pass.h"
#include "mase/support/suggest.h"

namespace mase::passes {
namespace {

constexpr std::string_view kFreeKey = "*";

// Says what is wrong with a value; empty if nothing is.
std::string type_problem(const Option& option, const ir::Value& value) {
  const auto wants = [&](bool fits, std::string_view what) {
    return fits ? std::string{}
                : fmt::format("'{}' must be {}, not {}", option.name, what, ir::repr(value));
  };
  switch (option.type) {
    case Option::Type::Bool:
      return wants(value.is<bool>(), "true or false");
    case Option::Type::Int:
      return wants(value.is<std::int64_t>(), "a whole number");
    case Option::Type::Number:
      return wants(value.is_number(), "a number");
    case Option::Type::Text:
      return wants(value.is<std::string>(), "a text");
    case Option::Type::Path:
      return wants(value.is<std::string>(), "a path");
    case Option::Type::Table:
      return wants(value.is<ir::Dict>(), "a table");
    case Option::Type::TextList: {
      const auto* list = value.get<ir::List>();
      const bool all_texts =
          list != nullptr && std::all_of(list->begin(), list->end(),
                                         [](auto& v) { return v.template is<std::string>(); });
      return wants(value.is<std::string>() || all_texts, "a list of texts");
    }
    case Option::Type::Any:
      return {};
  }
  return {};
}

void check_choices(const Option& option, const ir::Value& value, const Location& where,
                   Diagnostics& diagnostics) {
  if (option.choices.empty()) return;
  std::vector<std::string> choices(option.choices.begin(), option.choices.end());
  std::vector<std::string> given;
  if (const auto* text = value.get<std::string>()) given.push_back(*text);
  if (const auto* list = value.get<ir::List>()) {
    for (const ir::Value& item : *list) given.push_back(item.as_text());
  }
  for (const std::string& text : given) {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) continue;
    const std::string near = did_you_mean(text, choices);
    diagnostics.add(fmt::format("'{}' cannot be '{}': choose from {}", option.name, text,
                                fmt::join(choices, ", ")),
                    where, near);
  }
}

void check_value(const Option& option, const ir::Value& value, const Location& where,
                 Diagnostics& diagnostics) {
  if (std::string problem = type_problem(option, value); !problem.empty()) {
    diagnostics.add(std::move(problem), where);
    return;
  }
  check_choices(option, value, where, diagnostics);
  if (!value.is_number()) return;
  const double number = value.as_number();
  if (!std::isfinite(number)) {
    diagnostics.add(
        fmt::format("'{}' is {}, must be a finite number", option.name, ir::repr(value)), where);
    return;
  }
  if ((option.low && number < *option.low) || (option.high && number > *option.high)) {
    const std::string range = option.low && option.high
                                  ? fmt::format("from {} to {}", *option.low, *option.high)
                              : option.low ? fmt::format("at least {}", *option.low)
                                           : fmt::format("at most {}", *option.high);
    diagnostics.add(fmt::format("'{}' is {}, must be {}", option.name, ir::repr(value), range),
                    where);
  }
}

const Option* find_option(std::span<const Option> rows, std::string_view key) {
  for (const Option& option : rows) {
    if (option.name == key) return &option;
  }
  return nullptr;
}

}  // namespace

Options check_options(const Pass& pass, const ir::Dict& given, const Location& where,
                      Diagnostics& diagnostics, const ir::Named<Location>& places) {
  Options options = check_options(pass.name, pass.options, given, where, diagnostics, places);
  if (pass.check == nullptr) return options;
  // The pass's own check may rely on the rows; keys that it does not have are no hindrance.
  ir::Dict known;
  for (const auto& item : given) {
    const bool is_known = find_option(pass.options, item.first) != nullptr;
    if (is_known || find_option(pass.options, kFreeKey) != nullptr) known.push_back(item);
  }
  Diagnostics of_rows;
  check_options(pass.name, pass.options, known, where, of_rows, places);
  if (of_rows.empty()) pass.check(options, diagnostics);
  return options;
}

Options check_options(std::string_view owner, std::span<const Option> rows, const ir::Dict& given,
                      const Location& where, Diagnostics& diagnostics,
                      const ir::Named<Location>& places) {
  const auto place_of = [&](std::string_view key) {
    const Location* place = ir::find(places, key);
    return place == nullptr ? where : *place;
  };
  const Option* free_keys = find_option(rows, kFreeKey);
  std::vector<std::string> names;
  for (const Option& option : rows) {
    if (option.name != kFreeKey) names.emplace_back(option.name);
  }
  ir::Dict values;
  for (const auto& [key, value] : given) {
    const Option* option = key == kFreeKey ? nullptr : find_option(rows, key);
    const Location place = place_of(key);
    if (option == nullptr && free_keys != nullptr) {
      Option rule = *free_keys;
      rule.name = key;
      if (!value.is_none()) check_value(rule, value, place, diagnostics);
    } else if (option == nullptr) {
      const std::string known =
          names.empty() ? "it takes none" : fmt::format("it takes {}", fmt::join(names, ", "));
      const std::string near = did_you_mean(key, names);
      diagnostics.add(fmt::format("{} has no option '{}'", owner, key), place,
                      near.empty() ? known : near);
      continue;
    } else if (!value.is_none()) {
      check_value(*option, value, place, diagnostics);
    } else if (option->required) {
      diagnostics.add(fmt::format("{} needs a value for '{}'", owner, key), place);
    }
    values.emplace_back(key, value);
  }
  for (const Option& option : rows) {
    if (option.name == kFreeKey || ir::find(values, option.name) != nullptr) continue;
    if (option.required) {
      diagnostics.add(fmt::format("{} needs the option '{}'", owner, option.name), where,
                      std::string(option.help));
    } else if (option.standard) {
      values.emplace_back(std::string(option.name), *option.standard);
    }
  }
  Options options(std::move(values), where);
  for (const auto& [key, place] : places) options.set_location(key, place);
  return options;
}

std::string_view name(Option::Type type) {
  switch (type) {
    case Option::Type::Bool:
      return "bool";
    case Option::Type::Int:
      return "int";
    case Option::Type::Number:
      return "number";
    case Option::Type::Text:
      return "text";
    case Option::Type::Path:
      return "path";
    case Option::Type::TextList:
      return "list of texts";
    case Option::Type::Table:
      return "table";
    case Option::Type::Any:
      return "any";
  }
  return "";
}

const ir::Value* Options::find(std::string_view key) const {
  const ir::Value* value = ir::find(values_, key);
  return value == nullptr || value->is_none() ? nullptr : value;
}

const ir::Value& Options::at(std::string_view key) const {
  const ir::Value* value = find(key);
  if (value == nullptr) usage_error(fmt::format("the option '{}' is missing", key), where_);
  return *value;
}

std::vector<std::string> Options::texts(std::string_view key) const {
  const ir::Value& value = at(key);
  if (value.is<std::string>()) return {value.as_text()};
  std::vector<std::string> out;
  for (const ir::Value& item : value.as_list()) out.push_back(item.as_text());
  return out;
}

Location Options::where(std::string_view dotted_key) const {
  // The nearest enclosing table has a place when the key itself has none.
  for (std::string key(dotted_key); !key.empty();) {
    if (const Location* place = ir::find(locations_, key)) return *place;
    const std::size_t dot = key.rfind('.');
    key.resize(dot == std::string::npos ? 0 : dot);
  }
  return where_;
}

void Options::set_location(std::string dotted_key, Location where) {
  locations_.emplace_back(std::move(dotted_key), std::move(where));
}

}  // namespace mase::passes
