#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mase/ir/value.h"

// What passes know of a node. The typed fields below are the truth; to_value() gives the nested
// dictionaries that users read and print, in exactly their key order.
namespace mase::ir {

// One entry of common.args or common.results.
struct ArgumentMeta {
  enum class Kind {
    Data,       // a tensor input or result: shape, torch_dtype, type, precision, value
    Parameter,  // a named parameter: type, precision, shape, from, value
    Constant,   // a plain value under its parameter name: `constant`
    Other,      // a result that is no tensor: type, shape [1], value
  };
  Kind kind = Kind::Data;
  Shape shape;
  DType dtype = DType::Float32;
  std::string type = "float";  // name of the number format
  List precision = {32};
  Value value;  // None unless values were asked for
  Value constant;
  bool model_specific = false;

  Value to_value() const;
};

template <typename T>
using Named = std::vector<std::pair<std::string, T>>;

template <typename T>
const T* find(const Named<T>& items, std::string_view key) {
  for (const auto& [name, item] : items) {
    if (name == key) return &item;
  }
  return nullptr;
}
template <typename T>
T* find(Named<T>& items, std::string_view key) {
  for (auto& [name, item] : items) {
    if (name == key) return &item;
  }
  return nullptr;
}

struct CommonMeta {
  std::string mase_type;  // "" until add_common_metadata (or its first half) ran
  std::string mase_op;
  Named<ArgumentMeta> args;
  Named<ArgumentMeta> results;

  Value to_value() const;
};

// One entry of software.args or software.results: {stat: {...}} and what later passes add.
struct SoftwareEntry {
  Value stat = Dict{};
  Dict extra;  // sparsity, ...
};

struct SoftwareMeta {
  Named<SoftwareEntry> args;
  Named<SoftwareEntry> results;
  bool has_args = false;  // placeholders have no args table, implicit `size` no results table
  bool has_results = false;

  Value to_value() const;
};

struct Metadata {
  std::optional<CommonMeta> common;  // absent until init_metadata
  std::optional<SoftwareMeta> software;
  Dict hardware;

  // {"common": ..., "software": ..., "hardware": ...}
  Value to_value() const;
};

// The inverse of to_value(), for metadata read from a file. Throws Error{Usage} naming the key.
Metadata metadata_from_value(const Value& value);

}  // namespace mase::ir
