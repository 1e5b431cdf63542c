// The tree of a pickle.
#include <utility>

#include "mase/io/torch/pickle_node.h"

namespace mase::io {
namespace {

const std::string kNoText;

std::shared_ptr<ObjectNode> text_node(std::string text) {
  auto node = std::make_shared<ObjectNode>();
  node->text = std::move(text);
  return node;
}

std::shared_ptr<ObjectNode> items_node(std::vector<Object> items) {
  auto node = std::make_shared<ObjectNode>();
  node->items = std::move(items);
  return node;
}

}  // namespace

Object::Object(std::string text) : kind_(Kind::Text), node_(text_node(std::move(text))) {}

Object Object::bytes(std::string raw) {
  return Object(Kind::Bytes, text_node(std::move(raw)));
}

Object Object::big_int(std::string raw) {
  return Object(Kind::BigInt, text_node(std::move(raw)));
}

Object Object::tuple(std::vector<Object> items) {
  return Object(Kind::Tuple, items_node(std::move(items)));
}

Object Object::list(std::vector<Object> items) {
  return Object(Kind::List, items_node(std::move(items)));
}

Object Object::set(std::vector<Object> items) {
  return Object(Kind::Set, items_node(std::move(items)));
}

Object Object::dict(std::vector<ObjectPair> entries) {
  auto node = std::make_shared<ObjectNode>();
  node->entries = std::move(entries);
  return Object(Kind::Dict, std::move(node));
}

Object Object::ordered_dict(std::vector<ObjectPair> entries) {
  Object out = call(global("collections", "OrderedDict"), tuple({}));
  out.node_->entries = std::move(entries);
  return out;
}

Object Object::global(std::string module, std::string name) {
  auto node = text_node(std::move(name));
  node->module = std::move(module);
  return Object(Kind::Global, std::move(node));
}

Object Object::call(Object callee, Object arguments) {
  auto node = std::make_shared<ObjectNode>();
  node->call = {std::move(callee), std::move(arguments)};
  return Object(Kind::Call, std::move(node));
}

Object Object::persistent(Object id) {
  return Object(Kind::Persistent, items_node({std::move(id)}));
}

std::optional<bool> Object::boolean() const {
  return kind_ == Kind::Bool ? std::optional(scalar_.integer != 0) : std::nullopt;
}

std::optional<std::int64_t> Object::integer() const {
  return kind_ == Kind::Int ? std::optional(scalar_.integer) : std::nullopt;
}

std::optional<double> Object::real() const {
  return kind_ == Kind::Float ? std::optional(scalar_.real) : std::nullopt;
}

const std::string* Object::text() const {
  return kind_ == Kind::Text ? &node_->text : nullptr;
}

const std::string& Object::raw() const {
  const bool has = kind_ == Kind::Text || kind_ == Kind::Bytes || kind_ == Kind::BigInt;
  return has ? node_->text : kNoText;
}

std::span<const Object> Object::items() const {
  if (!node_) return {};
  return node_->items;
}

std::span<const ObjectPair> Object::entries() const {
  if (!node_) return {};
  return node_->entries;
}

const Object* Object::find(std::string_view key) const {
  for (const auto& [name, value] : entries()) {
    if (name.text() && *name.text() == key) return &value;
  }
  return nullptr;
}

bool Object::is_global(std::string_view module, std::string_view name) const {
  return kind_ == Kind::Global && node_->module == module && node_->text == name;
}

bool Object::is_call(std::string_view module, std::string_view name) const {
  return kind_ == Kind::Call && node_->call[0].is_global(module, name);
}

bool Object::is_mapping() const {
  return kind_ == Kind::Dict || is_call("collections", "OrderedDict");
}

std::string Object::global_name() const {
  if (kind_ == Kind::Global) return node_->module + "." + node_->text;
  if (kind_ == Kind::Call && node_->call[0].kind_ == Kind::Global) {
    return node_->call[0].global_name();
  }
  return {};
}

Object Object::callee() const {
  return kind_ == Kind::Call ? node_->call[0] : Object();
}

std::span<const Object> Object::arguments() const {
  if (kind_ != Kind::Call) return {};
  return node_->call[1].items();
}

bool Object::operator==(const Object& other) const {
  if (kind_ != other.kind_) return false;
  if (!node_) {
    return kind_ == Kind::Float ? scalar_.real == other.scalar_.real
                                : scalar_.integer == other.scalar_.integer;
  }
  if (node_ == other.node_) return true;
  return node_->text == other.node_->text && node_->module == other.node_->module &&
         node_->items == other.node_->items && node_->entries == other.node_->entries &&
         node_->call == other.node_->call;
}

}  // namespace mase::io
