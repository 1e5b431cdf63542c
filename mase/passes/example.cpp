// Examples of configuration tables, made from the rows of the options.
#include <fmt/format.h>

#include "mase/passes/pass.h"

namespace mase::passes {
namespace {

std::string in_quotes(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

// Defaults are truth values, numbers, texts, and lists of texts.
std::string toml_value(const ir::Value& value) {
  if (const auto* flag = value.get<bool>()) return *flag ? "true" : "false";
  if (const auto* text = value.get<std::string>()) return in_quotes(*text);
  if (const auto* list = value.get<ir::List>()) {
    std::string items;
    for (const ir::Value& item : *list) {
      items += (items.empty() ? "" : ", ") + toml_value(item);
    }
    return fmt::format("[{}]", items);
  }
  return ir::repr(value);
}

// "" where nothing is known to be of use.
std::string example_value(const Option& option) {
  if (!option.example.empty()) return std::string(option.example);
  if (option.standard && !option.standard->is_none()) return toml_value(*option.standard);
  if (option.choices.empty()) return "";
  const std::string first = in_quotes(option.choices.front());
  return option.type == Option::Type::TextList ? fmt::format("[{}]", first) : first;
}

}  // namespace

std::string example(const Pass& pass) {
  std::string out = fmt::format("[passes.{}]\n", pass.name);
  for (const Option& option : pass.options) {
    const std::string value = example_value(option);
    if (value.empty()) continue;
    const bool rule = option.name == "*";
    out += fmt::format("{}{}{}\n", option.required || rule ? "" : "# ",
                       rule ? "" : fmt::format("{} = ", option.name), value);
  }
  return out;
}

}  // namespace mase::passes
