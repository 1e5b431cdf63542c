// Attribute values of layers and calls: types, ranges, defaults.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "mase/ir/field_value.h"
#include "mase/ops/rules.h"
#include "mase/support/suggest.h"

namespace mase::ops {

const Attribute* find_attribute(const Op& op, std::string_view name) {
  const auto found = std::find_if(op.attributes.begin(), op.attributes.end(),
                                  [&](const Attribute& a) { return a.name() == name; });
  return found == op.attributes.end() ? nullptr : &*found;
}

std::vector<std::string> attribute_names(const Op& op) {
  std::vector<std::string> names;
  for (const Attribute& attribute : op.attributes) names.emplace_back(attribute.name());
  return names;
}

const Attribute* attribute_at(const Op& op, std::size_t i) {
  if (i >= op.attributes.size()) return nullptr;
  return op.call_order.empty() ? &op.attributes[i] : find_attribute(op, op.call_order[i]);
}

ir::Value standard_of(const Attribute& attribute) {
  return checked(attribute, ir::value_of(*attribute.field.standard), {});
}

ir::Value checked(const Attribute& attribute, const ir::Value& value, const Location& where) {
  const Field& field = attribute.field;
  if (field.type == FieldType::Bool && value.is_number()) return value.as_number() != 0;
  if (const auto* list = value.get<ir::List>()) return checked(attribute, ir::Tuple{*list}, where);
  if (!fitted(field, ir::field_value(value))) {
    // A tuple prints as one.
    const FieldValue given = value.is<ir::Tuple>()
                                 ? FieldValue(FieldValue::Foreign{ir::repr(value)})
                                 : ir::field_value(value);
    usage_error(problem(field, given, "None"), where);
  }
  if (attribute.repeated && value.is<std::int64_t>()) {
    return ir::Tuple{std::vector<ir::Value>(field.rank, value)};
  }
  return value;
}

ir::Dict complete_attributes(const Op& op, const ir::Dict& given, const Location& where) {
  for (const auto& [key, value] : given) {
    if (find_attribute(op, key) != nullptr) continue;
    usage_error(fmt::format("{} has no attribute '{}'", op.layer, key), where,
                did_you_mean(key, attribute_names(op)));
  }
  ir::Dict out;
  for (const Attribute& attribute : op.attributes) {
    const ir::Value* value = ir::find(given, attribute.name());
    if (!attribute.same_as.empty() && (!value || value->is_none())) {
      out.emplace_back(attribute.name(), *ir::find(out, attribute.same_as));
    } else if (value) {
      out.emplace_back(attribute.name(), checked(attribute, *value, where));
    } else if (attribute.field.standard) {
      out.emplace_back(attribute.name(), standard_of(attribute));
    } else {
      usage_error(fmt::format("{} needs {}", op.layer, attribute.name()), where);
    }
  }
  return out;
}

}  // namespace mase::ops
