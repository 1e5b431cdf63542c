// Attribute values of layers and calls: types, ranges, defaults.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "mase/ops/rules.h"
#include "mase/support/suggest.h"

namespace mase::ops {
namespace {

std::string wanted(const Attribute& attribute) {
  switch (attribute.type) {
    case Attribute::Type::Int:
      return "a whole number";
    case Attribute::Type::Number:
      return attribute.open ? "a number or None" : "a number";
    case Attribute::Type::Bool:
      return "True or False";
    case Attribute::Type::IntOrNone:
      return "a whole number or None";
    case Attribute::Type::Sizes: {
      const std::string sizes =
          fmt::format("a whole number or a tuple of {} of them", attribute.rank);
      return attribute.names.empty()
                 ? sizes
                 : fmt::format("{}, or {}", sizes, fmt::join(attribute.names, ", "));
    }
    case Attribute::Type::Text:
      return fmt::format("one of {}", fmt::join(attribute.names, ", "));
  }
  return "";
}

bool fits(const Attribute& attribute, const ir::Value& value) {
  if (value.is_none() && !attribute.same_as.empty()) return true;
  if (const auto* text = value.get<std::string>()) {
    return std::find(attribute.names.begin(), attribute.names.end(), *text) !=
           attribute.names.end();
  }
  switch (attribute.type) {
    case Attribute::Type::Int:
      return value.is<std::int64_t>();
    case Attribute::Type::Number:
      return value.is_number() || (attribute.open && value.is_none());
    case Attribute::Type::Bool:
      return value.is<bool>();
    case Attribute::Type::IntOrNone:
      return value.is<std::int64_t>() || value.is_none();
    case Attribute::Type::Sizes: {
      const auto size = [&](const ir::Value& v) {
        return v.is<std::int64_t>() || (attribute.open && v.is_none());
      };
      const auto* tuple = value.get<ir::Tuple>();
      if (!tuple) return size(value);
      return tuple->items.size() == attribute.rank &&
             std::all_of(tuple->items.begin(), tuple->items.end(), size);
    }
    case Attribute::Type::Text:
      return false;
  }
  return false;
}

void check_range(const Attribute& attribute, const ir::Value& value, const Location& where) {
  if (const auto* tuple = value.get<ir::Tuple>()) {
    for (const ir::Value& item : tuple->items) check_range(attribute, item, where);
  }
  if (!value.is_number()) return;
  const double number = value.as_number();
  // Written so that NaN is out of range too.
  if (number >= attribute.low && number <= attribute.high) return;
  usage_error(fmt::format("{} = {} is out of range: {} to {}", attribute.name, ir::repr(value),
                          attribute.low, attribute.high),
              where);
}

}  // namespace

const Attribute* attribute_at(const Op& op, std::size_t i) {
  if (i >= op.attributes.size()) return nullptr;
  if (op.call_order.empty()) return &op.attributes[i];
  const auto found = std::find_if(op.attributes.begin(), op.attributes.end(),
                                  [&](const Attribute& a) { return a.name == op.call_order[i]; });
  return &*found;
}

ir::Value checked(const Attribute& attribute, const ir::Value& value, const Location& where) {
  if (attribute.type == Attribute::Type::Bool && value.is_number()) return value.as_number() != 0;
  if (const auto* list = value.get<ir::List>()) {
    return checked(attribute, ir::Tuple{*list}, where);
  }
  if (!fits(attribute, value)) {
    usage_error(
        fmt::format("{} must be {}, not {}", attribute.name, wanted(attribute), ir::repr(value)),
        where);
  }
  check_range(attribute, value, where);
  if (attribute.repeated && value.is<std::int64_t>()) {
    return ir::Tuple{std::vector<ir::Value>(attribute.rank, value)};
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
    if (!attribute.same_as.empty() && (!value || value->is_none())) {
      out.emplace_back(attribute.name, *ir::find(out, attribute.same_as));
    } else if (value) {
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
