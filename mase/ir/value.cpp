// Dynamic values: access, equality, JSON view. Printing is in value_print.cpp.
#include "mase/ir/value.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "mase/support/error.h"

namespace mase::ir {
namespace {

constexpr const char* kKindNames[] = {"None", "bool",  "int",   "float", "text",       "node",
                                      "type", "dtype", "tuple", "list",  "dictionary", "tensor"};
static_assert(std::size(kKindNames) == std::variant_size_v<Value::Variant>);

template <typename T>
const T& expect(const Value& value, const char* wanted) {
  const T* found = value.get<T>();
  if (!found) {
    internal_error(fmt::format("expected {}, got {}", wanted, kKindNames[value.variant().index()]));
  }
  return *found;
}

nlohmann::ordered_json tensor_json(const Tensor& tensor, std::size_t dim, std::int64_t& next) {
  if (dim == tensor.shape().size()) {
    const std::int64_t i = next++;
    if (tensor.dtype() == DType::Bool) return tensor.at(i) != 0;
    if (is_floating(tensor.dtype())) return tensor.at(i);
    return static_cast<std::int64_t>(tensor.at(i));
  }
  auto out = nlohmann::ordered_json::array();
  for (std::int64_t i = 0; i < tensor.shape()[dim]; ++i) {
    out.push_back(tensor_json(tensor, dim + 1, next));
  }
  return out;
}

template <typename Items>
nlohmann::ordered_json array_json(const Items& items) {
  auto out = nlohmann::ordered_json::array();
  for (const Value& item : items) out.push_back(to_json(item));
  return out;
}

}  // namespace

bool Tuple::operator==(const Tuple& other) const {
  return items == other.items;
}

bool Value::operator==(const Value& other) const {
  return v_ == other.v_;
}

Value Value::list(const Shape& shape) {
  List items;
  for (std::int64_t d : shape) items.emplace_back(d);
  return items;
}

bool Value::as_bool() const {
  return expect<bool>(*this, "a truth value");
}

std::int64_t Value::as_int() const {
  return expect<std::int64_t>(*this, "an integer");
}

double Value::as_number() const {
  if (const auto* integer = get<std::int64_t>()) return static_cast<double>(*integer);
  return expect<double>(*this, "a number");
}

const std::string& Value::as_text() const {
  return expect<std::string>(*this, "a text");
}
const List& Value::as_list() const {
  return expect<List>(*this, "a list");
}
const Dict& Value::as_dict() const {
  return expect<Dict>(*this, "a dictionary");
}

const Value* Value::find(std::string_view key) const {
  const Dict* dict = get<Dict>();
  if (!dict) return nullptr;
  for (const auto& [name, value] : *dict) {
    if (name == key) return &value;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(static_cast<const Value*>(this)->find(key));
}

Value& Value::operator[](std::string_view key) {
  if (is_none()) v_ = Dict{};
  if (Value* found = find(key)) return *found;
  Dict* dict = get<Dict>();
  if (!dict) internal_error(fmt::format("'{}' looked up in a value that is no dictionary", key));
  return dict->emplace_back(std::string(key), Value()).second;
}

nlohmann::ordered_json to_json(const Value& value) {
  using Json = nlohmann::ordered_json;
  struct Visitor {
    Json operator()(const None&) const { return nullptr; }
    Json operator()(bool v) const { return v; }
    Json operator()(std::int64_t v) const { return v; }
    Json operator()(double v) const { return v; }
    Json operator()(const std::string& v) const { return v; }
    Json operator()(const NodeRef& v) const { return "%" + v.name; }
    Json operator()(const TypeName& v) const { return v.name; }
    Json operator()(DType v) const { return "torch." + std::string(name(v)); }
    Json operator()(const Tuple& v) const { return array_json(v.items); }
    Json operator()(const List& v) const { return array_json(v); }
    Json operator()(const Dict& v) const {
      Json out = Json::object();
      for (const auto& [key, item] : v) out[key] = to_json(item);
      return out;
    }
    Json operator()(const Tensor& v) const {
      std::int64_t next = 0;
      return v.defined() ? tensor_json(v, 0, next) : Json(nullptr);
    }
  };
  return std::visit(Visitor{}, value.variant());
}

std::string json_text(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Value from_json(const nlohmann::ordered_json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    List items;
    for (const auto& item : json) items.push_back(from_json(item));
    return items;
  }
  if (json.is_object()) {
    Dict items;
    for (const auto& [key, item] : json.items()) items.emplace_back(key, from_json(item));
    return items;
  }
  return None{};
}

}  // namespace mase::ir
