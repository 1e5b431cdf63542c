// Typed metadata from the dictionaries that users read and files hold: the inverse of to_value().
// Text files have no element types and no tensors, so both are recovered from their texts and
// nested lists.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "mase/ir/metadata.h"
#include "mase/support/error.h"
#include "mase/support/suggest.h"

namespace mase::ir {
namespace {

// The path of the entry that is being read, for messages: "common.args.weight".
using Path = std::string;

[[noreturn]] void fail(const Path& path, const std::string& what, std::string hint = {}) {
  usage_error(fmt::format("metadata {}: {}", path, what), {}, std::move(hint));
}

const Dict& dict_at(const Value& value, const Path& path) {
  const Dict* dict = value.get<Dict>();
  if (!dict) fail(path, fmt::format("a dictionary is expected, not {}", repr(value)));
  return *dict;
}

void check_keys(const Dict& dict, const Path& path, const std::vector<std::string>& known) {
  for (const auto& [key, value] : dict) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    fail(path, fmt::format("unknown key '{}'", key), did_you_mean(key, known));
  }
}

std::string text_at(const Dict& dict, std::string_view key, const Path& path) {
  const Value* value = find(dict, key);
  if (!value) fail(path, fmt::format("'{}' is missing", key));
  if (const auto* text = value->get<std::string>()) return *text;
  if (const auto* type = value->get<TypeName>()) return type->name;
  fail(path, fmt::format("'{}' must be a text, not {}", key, repr(*value)));
}

const List& list_at(const Dict& dict, std::string_view key, const Path& path) {
  const Value* value = find(dict, key);
  if (value && value->is<List>()) return value->as_list();
  if (value && value->is<Tuple>()) return value->get<Tuple>()->items;
  fail(path, fmt::format("'{}' must be a list", key));
}

Shape shape_at(const Dict& dict, const Path& path) {
  Shape shape;
  for (const Value& size : list_at(dict, "shape", path)) {
    const auto* number = size.get<std::int64_t>();
    if (!number || *number < 0) fail(path, "'shape' must hold whole numbers, none negative");
    shape.push_back(*number);
  }
  return shape;
}

std::optional<double> number_of(const Value& value) {
  if (const auto* flag = value.get<bool>()) return *flag ? 1.0 : 0.0;
  if (value.is_number()) return value.as_number();
  // Some writers quote the numbers of arrays.
  const auto* text = value.get<std::string>();
  if (!text) return std::nullopt;
  double number = 0;
  const auto end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

// Appends the numbers of a nested list of this shape; false if it is none.
bool flatten(const Value& value, const Shape& shape, std::size_t dim, std::vector<double>& out) {
  if (dim == shape.size()) {
    const std::optional<double> number = number_of(value);
    if (number) out.push_back(*number);
    return number.has_value();
  }
  const List* list = value.get<List>();
  if (!list || static_cast<std::int64_t>(list->size()) != shape[dim]) return false;
  for (const Value& item : *list) {
    if (!flatten(item, shape, dim + 1, out)) return false;
  }
  return true;
}

// A stored tensor, or the nested lists it was written as; anything else stays what it is.
Value tensor_or(const Value& value, const Shape& shape, DType dtype) {
  std::vector<double> numbers;
  if (!flatten(value, shape, 0, numbers)) return value;
  return Tensor::from<double>(shape, numbers).to(dtype);
}

ArgumentMeta read_argument(const Value& value, const Path& path) {
  ArgumentMeta entry;
  const Dict* dict = value.get<Dict>();
  if (!dict || !find(*dict, "type")) {
    entry.kind = ArgumentMeta::Kind::Constant;
    entry.constant = value;
    return entry;
  }
  check_keys(*dict, path, {"shape", "torch_dtype", "type", "precision", "from", "value"});
  const Value* dtype = find(*dict, "torch_dtype");
  entry.kind = dtype                      ? ArgumentMeta::Kind::Data
               : find(*dict, "precision") ? ArgumentMeta::Kind::Parameter
                                          : ArgumentMeta::Kind::Other;
  entry.type = text_at(*dict, "type", path);
  entry.shape = shape_at(*dict, path);
  if (entry.kind != ArgumentMeta::Kind::Other) entry.precision = list_at(*dict, "precision", path);
  if (dtype && dtype->is<DType>()) {
    entry.dtype = *dtype->get<DType>();
  } else if (dtype && !parse_dtype(text_at(*dict, "torch_dtype", path), entry.dtype)) {
    fail(path, fmt::format("unknown element type {}", repr(*dtype)));
  }
  if (const Value* stored = find(*dict, "value")) {
    const bool is_tensor = entry.kind != ArgumentMeta::Kind::Other;
    entry.value = is_tensor ? tensor_or(*stored, entry.shape, entry.dtype) : *stored;
  }
  return entry;
}

SoftwareEntry read_software_entry(const Value& value, const Path& path) {
  SoftwareEntry entry;
  for (const auto& [key, item] : dict_at(value, path)) {
    if (key == "stat") {
      entry.stat = item;
    } else {
      entry.extra.emplace_back(key, item);
    }
  }
  return entry;
}

template <typename T>
Named<T> read_entries(const Dict& dict, std::string_view key, const Path& path,
                      T (*read)(const Value&, const Path&)) {
  Named<T> out;
  const Value* table = find(dict, key);
  if (!table) return out;
  const Path here = fmt::format("{}.{}", path, key);
  for (const auto& [name, value] : dict_at(*table, here)) {
    out.emplace_back(name, read(value, fmt::format("{}.{}", here, name)));
  }
  return out;
}

CommonMeta read_common(const Value& value) {
  const Path path = "common";
  const Dict& dict = dict_at(value, path);
  check_keys(dict, path, {"mase_type", "mase_op", "args", "results"});
  CommonMeta common;
  if (dict.empty()) return common;
  common.mase_type = text_at(dict, "mase_type", path);
  common.mase_op = text_at(dict, "mase_op", path);
  common.args = read_entries(dict, "args", path, read_argument);
  // Plain values come after tensors; a TOML file has them the other way round.
  std::stable_partition(common.args.begin(), common.args.end(), [](const auto& entry) {
    return entry.second.kind != ArgumentMeta::Kind::Constant;
  });
  common.results = read_entries(dict, "results", path, read_argument);
  return common;
}

SoftwareMeta read_software(const Value& value) {
  const Path path = "software";
  const Dict& dict = dict_at(value, path);
  check_keys(dict, path, {"args", "results"});
  SoftwareMeta software;
  software.has_args = find(dict, "args") != nullptr;
  software.has_results = find(dict, "results") != nullptr;
  software.args = read_entries(dict, "args", path, read_software_entry);
  software.results = read_entries(dict, "results", path, read_software_entry);
  return software;
}

}  // namespace

Metadata metadata_from_value(const Value& value) {
  const Dict& dict = dict_at(value, "of a node");
  check_keys(dict, "of a node", {"common", "software", "hardware"});
  Metadata out;
  if (const Value* common = find(dict, "common")) out.common = read_common(*common);
  if (const Value* software = find(dict, "software")) out.software = read_software(*software);
  if (const Value* hardware = find(dict, "hardware")) out.hardware = dict_at(*hardware, "hardware");
  return out;
}

}  // namespace mase::ir
