// Fields: what fits one, and how that reads.
#include "mase/support/field.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "mase/support/error.h"
#include "mase/support/suggest.h"

namespace mase {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string one_item(FieldType type) {
  switch (type) {
    case FieldType::Bool:
      return "true or false";
    case FieldType::Int:
      return "a whole number";
    case FieldType::Real:
      return "a number";
    case FieldType::Text:
      return "a text";
    case FieldType::Path:
      return "a path";
    case FieldType::List:
      return "a list";
    case FieldType::Table:
      return "a table";
    case FieldType::Any:
      return "a value";
  }
  return "";
}

std::string several_items(FieldType type) {
  switch (type) {
    case FieldType::Bool:
      return "truth values";
    case FieldType::Int:
      return "whole numbers";
    case FieldType::Real:
      return "numbers";
    case FieldType::Text:
      return "texts";
    case FieldType::Path:
      return "paths";
    default:
      return "values";
  }
}

bool in_range(const Field& field, double number) {
  // Written so that NaN is out of range too.
  return std::isfinite(number) && (!field.low || number >= *field.low) &&
         (!field.high || number <= *field.high);
}

bool of_texts(const Field& field) {
  const FieldType type = field.type == FieldType::List ? field.items : field.type;
  return type == FieldType::Text || type == FieldType::Path;
}

bool is_choice(const Field& field, const FieldValue& value) {
  const auto* text = value.get<std::string>();
  const auto& choices = field.choices;
  return text && std::find(choices.begin(), choices.end(), *text) != choices.end();
}

std::optional<FieldValue> fitted_item(const Field& field, FieldType type, const FieldValue& value) {
  if (value.is_none() && field.open) return value;
  switch (type) {
    case FieldType::Bool: {
      if (value.is<bool>()) return value;
      const auto* number = value.get<std::int64_t>();
      return number && (*number == 0 || *number == 1) ? std::optional<FieldValue>(*number == 1)
                                                      : std::nullopt;
    }
    case FieldType::Int: {
      const auto* number = value.get<std::int64_t>();
      return number && in_range(field, static_cast<double>(*number)) ? std::optional(value)
                                                                     : std::nullopt;
    }
    case FieldType::Real:
      if (!value.is_number() || !in_range(field, value.number())) return std::nullopt;
      return FieldValue(value.number());
    case FieldType::Text:
    case FieldType::Path: {
      const bool fits =
          value.is<std::string>() && (field.choices.empty() || is_choice(field, value));
      return fits ? std::optional(value) : std::nullopt;
    }
    case FieldType::Table:
      return value.is<FieldValue::Table>() ? std::optional(value) : std::nullopt;
    case FieldType::List:
    case FieldType::Any:
      return value;
  }
  return std::nullopt;
}

std::optional<FieldValue> fitted_list(const Field& field, const FieldValue& value) {
  const auto* given = value.get<FieldValue::List>();
  const std::size_t copies = field.one_for_all ? field.rank : 1;
  const FieldValue::List items = given ? *given : FieldValue::List(copies, value);
  if (field.rank != 0 && items.size() != field.rank) return std::nullopt;
  FieldValue::List out;
  for (const FieldValue& item : items) {
    auto fit = fitted_item(field, field.items, item);
    if (!fit) return std::nullopt;
    out.push_back(std::move(*fit));
  }
  return FieldValue(std::move(out));
}

// Of a text that is none of the choices, or of the first such in a list.
std::string nearest_choice(const Field& field, const FieldValue& value) {
  if (field.choices.empty()) return "";
  const std::vector<std::string> choices(field.choices.begin(), field.choices.end());
  if (const auto* text = value.get<std::string>()) return did_you_mean(*text, choices);
  const auto* list = value.get<FieldValue::List>();
  if (!list) return "";
  for (const FieldValue& item : *list) {
    if (!fitted_item(field, field.items, item)) return nearest_choice(field, item);
  }
  return "";
}

}  // namespace

double FieldValue::number() const {
  if (const auto* whole = get<std::int64_t>()) return static_cast<double>(*whole);
  if (const auto* real = get<double>()) return *real;
  internal_error("a field's value is no number");
}

std::string repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  // Shortest digits, then Python's rule: an exponent below 1e-4 and from 1e16 on.
  std::string shortest = fmt::format("{}", value);
  const double magnitude = std::fabs(value);
  if (magnitude < 1e-4 || magnitude >= 1e16) return shortest;  // fmt switches there as well
  if (shortest.find('e') != std::string::npos) shortest = fmt::format("{:.1f}", value);
  if (shortest.find('.') == std::string::npos) shortest += ".0";
  return shortest;
}

std::string repr(const FieldValue& value) {
  struct Visitor {
    std::string operator()(FieldValue::None) const { return "None"; }
    std::string operator()(bool v) const { return v ? "True" : "False"; }
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return repr(v); }
    std::string operator()(const std::string& v) const { return quoted(v); }
    std::string operator()(const FieldValue::Foreign& v) const { return v.text; }
    std::string operator()(const FieldValue::List& v) const {
      std::vector<std::string> items;
      for (const FieldValue& item : v) items.push_back(repr(item));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
    std::string operator()(const FieldValue::Table& v) const {
      std::vector<std::string> items;
      for (const auto& [key, item] : v)
        items.push_back(fmt::format("{}: {}", quoted(key), repr(item)));
      return fmt::format("{{{}}}", fmt::join(items, ", "));
    }
  };
  return std::visit(Visitor{}, value.variant());
}

std::string_view name(FieldType type) {
  switch (type) {
    case FieldType::Bool:
      return "bool";
    case FieldType::Int:
      return "int";
    case FieldType::Real:
      return "number";
    case FieldType::Text:
      return "text";
    case FieldType::Path:
      return "path";
    case FieldType::List:
      return "list";
    case FieldType::Table:
      return "table";
    case FieldType::Any:
      return "any";
  }
  return "";
}

std::string type_text(const Field& field) {
  if (field.type != FieldType::List) return std::string(name(field.type));
  return fmt::format("list of {}", several_items(field.items));
}

std::string range_text(const Field& field) {
  if (field.low && field.low == field.high) return fmt::format("that is {}", *field.low);
  if (field.low && field.high) return fmt::format("from {} to {}", *field.low, *field.high);
  if (field.low) return fmt::format("at least {}", *field.low);
  if (field.high) return fmt::format("at most {}", *field.high);
  return "";
}

std::string wanted(const Field& field, std::string_view none) {
  const bool list = field.type == FieldType::List;
  const bool chosen = of_texts(field) && !field.choices.empty();
  const std::string choices = fmt::format("{}", fmt::join(field.choices, ", "));
  std::string text = one_item(list ? field.items : field.type);
  if (list && !field.one_for_all) {
    text = field.rank == 0 ? fmt::format("a list of {}", several_items(field.items))
                           : fmt::format("a list of {} {}", field.rank, several_items(field.items));
    if (chosen) text += " out of " + choices;
  } else if (chosen) {
    text = "one of " + choices;
  }
  if (const std::string range = range_text(field); !range.empty()) text += " " + range;
  if (field.one_for_all && field.rank > 1) text += fmt::format(", or a list of {}", field.rank);
  if (!chosen && !choices.empty()) text += ", or one of " + choices;
  if (field.may_be_open()) text += fmt::format(", or {}", none);
  return text;
}

std::optional<FieldValue> fitted(const Field& field, const FieldValue& value) {
  if (value.is_none() && field.may_be_open()) return value;
  if (!of_texts(field) && is_choice(field, value)) return value;
  if (field.type == FieldType::List) return fitted_list(field, value);
  return fitted_item(field, field.type, value);
}

std::string misfit(const Field& field, const FieldValue& value, std::string_view none) {
  if (fitted(field, value)) return "";
  const auto* real = value.get<double>();
  const bool finite = field.type != FieldType::Real || !real || std::isfinite(*real);
  std::string text =
      fmt::format("must be {}, not {}", finite ? wanted(field, none) : "a finite number",
                  value.is_none() ? std::string(none) : repr(value));
  const std::string near = nearest_choice(field, value);
  return near.empty() ? text : text + "; " + near;
}

std::string problem(const Field& field, const FieldValue& value, std::string_view none) {
  const std::string text = misfit(field, value, none);
  return text.empty() ? text : fmt::format("{} {}", field.name, text);
}

const Field* find_field(std::span<const Field> fields, std::string_view name) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

std::vector<std::string> field_names(std::span<const Field> fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.emplace_back(field.name);
  return names;
}

}  // namespace mase
