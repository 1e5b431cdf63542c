// Fields' values to a graph's and back, kind by kind.
#include "mase/ir/field_value.h"

namespace mase::ir {
namespace {

FieldValue::List field_values(const std::vector<Value>& items) {
  FieldValue::List out;
  for (const Value& item : items) out.push_back(field_value(item));
  return out;
}

}  // namespace

Value value_of(const FieldValue& value) {
  struct Visitor {
    Value operator()(FieldValue::None) const { return None{}; }
    Value operator()(bool v) const { return v; }
    Value operator()(std::int64_t v) const { return v; }
    Value operator()(double v) const { return v; }
    Value operator()(const std::string& v) const { return v; }
    Value operator()(const FieldValue::Foreign& v) const { return TypeName{v.text}; }
    Value operator()(const FieldValue::List& v) const {
      List out;
      for (const FieldValue& item : v) out.push_back(value_of(item));
      return out;
    }
    Value operator()(const FieldValue::Table& v) const {
      Dict out;
      for (const auto& [key, item] : v) out.emplace_back(key, value_of(item));
      return out;
    }
  };
  return std::visit(Visitor{}, value.variant());
}

FieldValue field_value(const Value& value) {
  if (value.is_none()) return {};
  if (const auto* v = value.get<bool>()) return *v;
  if (const auto* v = value.get<std::int64_t>()) return *v;
  if (const auto* v = value.get<double>()) return *v;
  if (const auto* v = value.get<std::string>()) return *v;
  if (const auto* v = value.get<Tuple>()) return field_values(v->items);
  if (const auto* v = value.get<List>()) return field_values(*v);
  if (const auto* v = value.get<Dict>()) {
    FieldValue::Table out;
    for (const auto& [key, item] : *v) out.emplace_back(key, field_value(item));
    return out;
  }
  return FieldValue::Foreign{repr(value)};
}

}  // namespace mase::ir
