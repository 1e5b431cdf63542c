// Attribute values of layers and calls: types, ranges, defaults.
#include <fmt/format.h>

#include <string>

#include "mase/ops/rules.h"
#include "mase/support/suggest.h"

namespace mase::ops {
namespace {

std::string_view wanted(Attribute::Type type) {
  switch (type) {
    case Attribute::Type::Int:
      return "a whole number";
    case Attribute::Type::Number:
      return "a number";
    case Attribute::Type::Bool:
      return "True or False";
    case Attribute::Type::IntOrNone:
      return "a whole number or None";
  }
  return "";
}

bool fits(Attribute::Type type, const ir::Value& value) {
  switch (type) {
    case Attribute::Type::Int:
      return value.is<std::int64_t>();
    case Attribute::Type::Number:
      return value.is_number();
    case Attribute::Type::Bool:
      return value.is<bool>();
    case Attribute::Type::IntOrNone:
      return value.is<std::int64_t>() || value.is_none();
  }
  return false;
}

}  // namespace

ir::Value checked(const Attribute& attribute, const ir::Value& value, const Location& where) {
  if (attribute.type == Attribute::Type::Bool && value.is_number()) return value.as_number() != 0;
  if (!fits(attribute.type, value)) {
    usage_error(fmt::format("{} must be {}, not {}", attribute.name, wanted(attribute.type),
                            ir::repr(value)),
                where);
  }
  if (value.is_number()) {
    const double number = value.as_number();
    // Written so that NaN is out of range too.
    if (!(number >= attribute.low && number <= attribute.high)) {
      usage_error(fmt::format("{} = {} is out of range: {} to {}", attribute.name, ir::repr(value),
                              attribute.low, attribute.high),
                  where);
    }
  }
  return value;
}

ir::Dict complete_attributes(const Op& op, const ir::Dict& given, const Location& where) {
  std::vector<std::string> known;
  for (const Attribute& attribute : op.attributes) known.emplace_back(attribute.name);
  for (const auto& [key, value] : given) {
    bool found = false;
    for (const Attribute& attribute : op.attributes) found = found || attribute.name == key;
    if (!found) {
      usage_error(fmt::format("{} has no attribute '{}'", op.layer, key), where,
                  did_you_mean(key, known));
    }
  }
  ir::Dict out;
  for (const Attribute& attribute : op.attributes) {
    const ir::Value* value = ir::find(given, attribute.name);
    if (value) {
      out.emplace_back(attribute.name, checked(attribute, *value, where));
    } else if (attribute.standard) {
      out.emplace_back(attribute.name, *attribute.standard);
    } else {
      usage_error(fmt::format("{} needs {}", op.layer, attribute.name), where);
    }
  }
  return out;
}

}  // namespace mase::ops
