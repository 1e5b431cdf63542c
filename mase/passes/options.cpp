// The checking of a pass's table against its fields: names and values, all problems at once.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "mase/ir/field_value.h"
#include "mase/passes/pass.h"
#include "mase/support/suggest.h"

namespace mase::passes {
namespace {

constexpr std::string_view kFreeKey = "*";

// The field of a key that was given; one of the user's choice takes the place of "*".
std::optional<Field> field_of(std::span<const Field> fields, std::string_view key) {
  const Field* field = key == kFreeKey ? nullptr : find_field(fields, key);
  if (field == nullptr) field = find_field(fields, kFreeKey);
  if (field == nullptr) return std::nullopt;
  Field out = *field;
  out.name = key;
  return out;
}

void add_unknown_key(std::string_view owner, std::span<const Field> fields, std::string_view key,
                     const Location& where, Diagnostics& diagnostics) {
  const std::vector<std::string> names = field_names(fields);
  std::string hint = did_you_mean(key, names);
  if (names.empty()) hint = "it takes none";
  if (hint.empty()) hint = fmt::format("it takes {}", fmt::join(names, ", "));
  diagnostics.add(fmt::format("{} has no option '{}'", owner, key), where, std::move(hint));
}

// The value as the field has it. What is wrong with it goes to `diagnostics`.
ir::Value checked(const Field& field, const ir::Value& value, const Location& where,
                  Diagnostics& diagnostics) {
  const FieldValue plain = ir::field_value(value);
  const std::optional<FieldValue> fit = fitted(field, plain);
  if (!fit) diagnostics.add(problem(field, plain), where);
  // What no field describes stays as it came: it may hold what only a graph knows.
  const bool described = field.type != FieldType::Table && field.type != FieldType::Any;
  return fit && described ? ir::value_of(*fit) : value;
}

// Defaults for what was not given.
void fill_in(std::string_view owner, std::span<const Field> fields, const Location& where,
             ir::Dict& values, Diagnostics& diagnostics) {
  for (const Field& field : fields) {
    if (field.name == kFreeKey || ir::find(values, field.name) != nullptr) continue;
    if (field.must_be_given()) {
      diagnostics.add(fmt::format("{} needs the option '{}'", owner, field.name), where,
                      std::string(field.help));
    } else if (!field.standard->is_none()) {
      values.emplace_back(std::string(field.name), ir::value_of(*field.standard));
    }
  }
}

}  // namespace

Options check_options(const Pass& pass, const ir::Dict& given, const Location& where,
                      Diagnostics& diagnostics, const ir::Named<Location>& places) {
  Options options = check_options(pass.name, pass.options, given, where, diagnostics, places);
  if (pass.check == nullptr) return options;
  // The pass's own check may rely on the fields; keys that it does not have are no hindrance.
  ir::Dict known;
  for (const auto& item : given) {
    if (field_of(pass.options, item.first)) known.push_back(item);
  }
  Diagnostics of_fields;
  check_options(pass.name, pass.options, known, where, of_fields, places);
  if (of_fields.empty()) pass.check(options, diagnostics);
  return options;
}

Options check_options(std::string_view owner, std::span<const Field> fields, const ir::Dict& given,
                      const Location& where, Diagnostics& diagnostics,
                      const ir::Named<Location>& places) {
  ir::Dict values;
  for (const auto& [key, value] : given) {
    const Location* place = ir::find(places, key);
    const Location& at = place == nullptr ? where : *place;
    if (const std::optional<Field> field = field_of(fields, key)) {
      values.emplace_back(key, checked(*field, value, at, diagnostics));
    } else {
      add_unknown_key(owner, fields, key, at, diagnostics);
    }
  }
  fill_in(owner, fields, where, values, diagnostics);
  Options options(std::move(values), where);
  for (const auto& [key, place] : places) options.set_location(key, place);
  return options;
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
  std::vector<std::string> out;
  for (const ir::Value& item : at(key).as_list()) out.push_back(item.as_text());
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
