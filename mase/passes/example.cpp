// Examples of configuration tables, made from the rows of the options.
#include <fmt/format.h>

#include "mase/passes/pass.h"

namespace mase::passes {
namespace {

std::string in_quotes(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

// Defaults are truth values, numbers, texts, and lists of texts.
std::string toml_value(const FieldValue& value) {
  if (const auto* flag = value.get<bool>()) return *flag ? "true" : "false";
  if (const auto* text = value.get<std::string>()) return in_quotes(*text);
  if (const auto* list = value.get<FieldValue::List>()) {
    std::string items;
    for (const FieldValue& item : *list) {
      items += (items.empty() ? "" : ", ") + toml_value(item);
    }
    return fmt::format("[{}]", items);
  }
  return repr(value);
}

// "" where nothing is known to be of use.
std::string example_value(const Field& field) {
  if (!field.example.empty()) return std::string(field.example);
  if (field.standard && !field.standard->is_none()) return toml_value(*field.standard);
  if (field.choices.empty()) return "";
  const std::string first = in_quotes(field.choices.front());
  return field.type == FieldType::List ? fmt::format("[{}]", first) : first;
}

}  // namespace

std::string example(const Pass& pass) {
  std::string out = fmt::format("[passes.{}]\n", pass.name);
  for (const Field& field : pass.options) {
    const std::string value = example_value(field);
    if (value.empty()) continue;
    const bool rule = field.name == "*";
    out += fmt::format("{}{}{}\n", field.must_be_given() || rule ? "" : "# ",
                       rule ? "" : fmt::format("{} = ", field.name), value);
  }
  return out;
}

}  // namespace mase::passes
