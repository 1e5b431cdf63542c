// Values of configuration files: their kinds, and paths that are meant from beside the file.
#include "ch/options/file_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace ch {

using mase::Location;
using mase::io::TomlNode;
using mase::ir::Value;

namespace {

std::string_view kind_of(const TomlNode& node) {
  if (node.is_table) return "a table";
  if (!node.items.empty() || node.value.is<mase::ir::List>()) return "a list";
  if (node.value.is_none()) return "\"NA\"";
  if (node.value.is<bool>()) return "a truth value";
  if (node.value.is_number()) return "a number";
  return "a text";
}

std::string_view wanted(const Option& option) {
  switch (option.type) {
    case Type::Flag:
      return "true or false";
    case Type::Int:
    case Type::PositiveInt:
      return "a whole number";
    case Type::Number:
      return "a number";
    case Type::TextList:
      return "a list of texts";
    case Type::Columns:
      return "a table";
    default:
      return "a text";
  }
}

bool is_text_list(const Value& value) {
  const auto* list = value.get<mase::ir::List>();
  return list && std::all_of(list->begin(), list->end(),
                             [](const Value& item) { return item.is<std::string>(); });
}

// Paths of a file are meant from the working directory, as in MASE, or from beside the file. Names
// of models and data sets may be paths as well.
void find_beside(const Option& option, const Location& where, Value& value) {
  const bool may_be_path =
      option.type == Type::File || option.type == Type::FileOrFolder || option.is_positional();
  auto* path = value.get<std::string>();
  std::error_code error;
  if (!may_be_path || !path || std::filesystem::exists(*path, error)) return;
  const auto beside = std::filesystem::path(where.file).parent_path() / *path;
  if (beside != *path && std::filesystem::is_regular_file(beside, error)) *path = beside.string();
}

}  // namespace

std::optional<Value> convert_value(const Option& option, const TomlNode& node) {
  if (option.type == Type::Columns && node.is_table) return node.to_value();
  if (node.is_table) return std::nullopt;
  const Value value = node.to_value();
  const bool open = option.standard.is_none() || option.type == Type::PositiveInt;
  if (value.is_none()) return open ? std::optional(value) : std::nullopt;
  switch (option.type) {
    case Type::Flag:
      return value.is<bool>() ? std::optional(value) : std::nullopt;
    case Type::Int:
    case Type::PositiveInt:
      return value.is<std::int64_t>() ? std::optional(value) : std::nullopt;
    case Type::Number:
      return value.is_number() ? std::optional(value) : std::nullopt;
    case Type::Columns:
      return std::nullopt;
    case Type::TextList:
      return is_text_list(value) ? std::optional(value) : std::nullopt;
    default:
      // trainer_precision = 32 is as good as "32".
      if (const auto* number = value.get<std::int64_t>()) return Value(std::to_string(*number));
      return value.is<std::string>() ? std::optional(value) : std::nullopt;
  }
}

std::string check_file_value(const Option& option, const Location& where, Value& value) {
  find_beside(option, where, value);
  return check_value(option, value);
}

std::string wrong_kind(const Option& option, const TomlNode& node) {
  return fmt::format("must be {}, got {}", wanted(option), kind_of(node));
}

}  // namespace ch
