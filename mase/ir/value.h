#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mase/ir/tensor.h"
#include "mase/support/field.h"

namespace mase::ir {

struct None {
  bool operator==(const None&) const = default;
};
// A reference to a node of the same graph, by its unique name.
struct NodeRef {
  std::string name;
  bool operator==(const NodeRef&) const = default;
};
// A language type ("size", "int"), printed without quotes.
struct TypeName {
  std::string name;
  bool operator==(const TypeName&) const = default;
};

class Value;
struct Tuple {
  std::vector<Value> items;
  bool operator==(const Tuple&) const;
};
using List = std::vector<Value>;
// Keeps insertion order, as the dictionaries that users know do.
using Dict = std::vector<std::pair<std::string, Value>>;

// The dynamic values of this library: node arguments, layer attributes, metadata, statistics,
// configuration. Prints as Python prints them.
class Value {
 public:
  using Variant = std::variant<None, bool, std::int64_t, double, std::string, NodeRef, TypeName,
                               DType, Tuple, List, Dict, Tensor>;

  Value() = default;
  Value(None) {}
  Value(bool v) : v_(v) {}
  Value(int v) : v_(static_cast<std::int64_t>(v)) {}
  Value(std::int64_t v) : v_(v) {}
  Value(double v) : v_(v) {}
  Value(const char* v) : v_(std::string(v)) {}
  Value(std::string v) : v_(std::move(v)) {}
  Value(std::string_view v) : v_(std::string(v)) {}
  Value(NodeRef v) : v_(std::move(v)) {}
  Value(TypeName v) : v_(std::move(v)) {}
  Value(DType v) : v_(v) {}
  Value(Tuple v) : v_(std::move(v)) {}
  Value(List v) : v_(std::move(v)) {}
  Value(Dict v) : v_(std::move(v)) {}
  Value(Tensor v) : v_(std::move(v)) {}
  static Value list(const Shape& shape);  // [8, 16]

  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(v_);
  }
  template <typename T>
  const T* get() const {
    return std::get_if<T>(&v_);
  }
  template <typename T>
  T* get() {
    return std::get_if<T>(&v_);
  }
  bool is_none() const { return is<None>(); }
  bool is_number() const { return is<std::int64_t>() || is<double>(); }
  const Variant& variant() const { return v_; }

  // Conversions that throw Error{Internal} on a wrong kind; as_number takes int and double.
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_number() const;
  const std::string& as_text() const;
  const List& as_list() const;
  const Dict& as_dict() const;

  // Dictionary access; null if this is no dictionary or the key is absent.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  // Finds or appends; a None becomes a dictionary.
  Value& operator[](std::string_view key);

  bool operator==(const Value& other) const;

 private:
  Variant v_;
};

// As Python's repr: None, True, 1e-05, 'text', [1, 2], (1,), {'a': 1}; a node is its bare name,
// (x,).
std::string repr(const Value& value);
using mase::repr;  // of numbers
// As Python's pprint.pformat(value, indent = 1, width): keys sorted, one item per line when a
// container does not fit.
std::string pretty(const Value& value, int width = 80);
// As PyTorch prints a tensor: "tensor([1.5105, 0.9023])". `suffix` is a last remark inside of the
// brackets, after a comma and on a line of its own if it does not fit: "requires_grad=True".
std::string print_tensor(const Tensor& tensor, std::string_view suffix = "");

nlohmann::ordered_json to_json(const Value& value);  // tensors as nested arrays, None as null
Value from_json(const nlohmann::ordered_json& json);
// As text. Bytes that are not UTF-8, in the name of a file say, are replaced by U+FFFD: JSON has no
// way to hold them.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

// Calls fn(NodeRef) for every node reference inside, in order.
template <typename Fn>
void for_each_node_ref(const Value& value, Fn&& fn) {
  if (const auto* ref = value.get<NodeRef>()) {
    fn(*ref);
  } else if (const auto* tuple = value.get<Tuple>()) {
    for (const Value& item : tuple->items) for_each_node_ref(item, fn);
  } else if (const auto* list = value.get<List>()) {
    for (const Value& item : *list) for_each_node_ref(item, fn);
  } else if (const auto* dict = value.get<Dict>()) {
    for (const auto& [key, item] : *dict) for_each_node_ref(item, fn);
  }
}

template <typename Fn>
void for_each_node_ref_mut(Value& value, Fn&& fn) {
  if (auto* ref = value.get<NodeRef>()) {
    fn(*ref);
  } else if (auto* tuple = value.get<Tuple>()) {
    for (Value& item : tuple->items) for_each_node_ref_mut(item, fn);
  } else if (auto* list = value.get<List>()) {
    for (Value& item : *list) for_each_node_ref_mut(item, fn);
  } else if (auto* dict = value.get<Dict>()) {
    for (auto& [key, item] : *dict) for_each_node_ref_mut(item, fn);
  }
}

}  // namespace mase::ir
