// Values of configuration files: their kinds, and paths that are meant from beside the file.
#include "ch/options/file_value.h"

#include <filesystem>

#include "mase/ir/field_value.h"

namespace ch {

using mase::FieldType;
using mase::Location;
using mase::io::TomlNode;
using mase::ir::Value;

namespace {

// The type alone: choices and ranges are left to check_value, which has reasons for some.
mase::Field type_of(const Option& option) {
  mase::Field field = option.field;
  field.choices.clear();
  field.low.reset();
  field.high.reset();
  return field;
}

mase::FieldValue given(const Option& option, const TomlNode& node) {
  const Value value = node.to_value();
  const FieldType type = option.field.type;
  const auto* number = value.get<std::int64_t>();
  // trainer_precision = 32 is as good as "32".
  if (number && (type == FieldType::Text || type == FieldType::Path)) {
    return std::to_string(*number);
  }
  return mase::ir::field_value(value);
}

// Paths of a file are meant from the working directory, as in MASE, or from beside the file. Names
// of models and data sets may be paths as well.
void find_beside(const Option& option, const Location& where, Value& value) {
  auto* path = value.get<std::string>();
  std::error_code error;
  if (!option.reads_file() || !path || std::filesystem::exists(*path, error)) return;
  const auto beside = std::filesystem::path(where.file).parent_path() / *path;
  if (beside != *path && std::filesystem::is_regular_file(beside, error)) *path = beside.string();
}

}  // namespace

std::optional<Value> convert_value(const Option& option, const TomlNode& node) {
  const mase::FieldValue value = given(option, node);
  const std::optional<mase::FieldValue> fit = fitted(type_of(option), value);
  if (!fit) return std::nullopt;
  // The argument table shows a whole number as it stands in the file.
  return mase::ir::value_of(option.is_number() ? value : *fit);
}

std::string check_file_value(const Option& option, const Location& where, Value& value) {
  find_beside(option, where, value);
  return check_value(option, value);
}

std::string wrong_kind(const Option& option, const TomlNode& node) {
  return misfit(option.field, given(option, node));
}

}  // namespace ch
