// From the text of a command line, or the value of a file, to a checked value of the option's type.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "ch/options/columns.h"
#include "ch/options/option.h"
#include "mase/ir/field_value.h"
#include "mase/support/installation.h"
#include "mase/support/paths.h"
#include "mase/support/suggest.h"

namespace ch {

namespace fs = std::filesystem;
using mase::FieldType;
using mase::ir::Value;

namespace {

template <typename T>
std::optional<T> read_number(std::string_view text) {
  T value{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// As argparse says it, which users know; with the reason where a value is known from elsewhere.
std::string check_choice(const Option& option, const std::string& value) {
  const std::vector<std::string> choices(option.field.choices.begin(), option.field.choices.end());
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return "";
  const std::string known = fmt::format("(choose from '{}')", fmt::join(choices, "', '"));
  for (const Refusal& refusal : option.refused) {
    if (refusal.value != value) continue;
    return fmt::format("'{}' is not available: {} {}", value, refusal.reason, known);
  }
  const std::string near = mase::did_you_mean(value, choices);
  return fmt::format("invalid choice: '{}' {}{}{}", value, known, near.empty() ? "" : "; ", near);
}

// Users of MASE call it from a folder beside mase_output; here the two may be nested.
std::string path_hint(const fs::path& path) {
  const std::string text = path.string();
  const std::string other = text.starts_with("../") ? text.substr(3) : "../" + text;
  return mase::path_exists(other) ? fmt::format("; did you mean '{}'?", other) : "";
}

// Why there is nothing to read: it is not there, or may not be looked at.
std::string absence(std::string_view what, const fs::path& path, const std::error_code& error) {
  if (error && error != std::errc::no_such_file_or_directory) {
    return fmt::format("'{}' cannot be read: {}", path.string(), error.message());
  }
  return fmt::format("{} not found: '{}'{}", what, path.string(), path_hint(path));
}

std::string check_path(const Option& option, std::string& value) {
  // Files that come with the program are found by the names that its help gives.
  const fs::path path = option.form == Form::File ? mase::find_shared(value) : fs::path(value);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const bool exists = fs::exists(status);
  switch (option.form) {
    case Form::File:
      if (!exists) return absence("file", path, error);
      if (fs::is_directory(status)) return fmt::format("expected path to file: '{}'", value);
      break;
    case Form::FileOrFolder:
      if (!exists) return absence("file or directory", path, error);
      break;
    default:
      if (exists && !fs::is_directory(status)) {
        return fmt::format("expected path to directory, got file: '{}'", value);
      }
      break;
  }
  value = mase::absolute_path(path).string();
  if (value.size() > 1 && value.ends_with('/')) value.pop_back();
  return "";
}

// An existing file, which is as good as a choice.
std::string check_other_file(const Option& option, std::string& value) {
  const fs::path path = value;
  std::error_code error;
  if (!fs::exists(fs::status(path, error))) {
    const auto& choices = option.field.choices;
    const std::string near = mase::did_you_mean(value, {choices.begin(), choices.end()});
    return absence("file", path, error) + (near.empty() ? "" : "; " + near);
  }
  value = mase::absolute_path(path).string();
  return "";
}

std::string check_text(const Option& option, std::string& value) {
  if (option.field.type == FieldType::Path) return check_path(option, value);
  if (option.field.choices.empty()) return "";
  std::string problem = check_choice(option, value);
  return problem.empty() || !option.or_path ? problem : check_other_file(option, value);
}

std::string check_number(const Option& option, const Value& value) {
  mase::Field field = option.field;
  field.open = false;                                 // None has passed, and is none to be typed
  if (option.form == Form::Count) field.low.reset();  // it means "none" there: settle()
  const std::string text = mase::misfit(field, mase::ir::field_value(value));
  if (text.empty() || option.range_reason.empty()) return text;
  return fmt::format("{}: {}", text, option.range_reason);
}

}  // namespace

Value Option::standard() const {
  return mase::ir::value_of(*field.standard);
}

bool Option::is_number() const {
  return field.type == FieldType::Int || field.type == FieldType::Real;
}

bool Option::reads_file() const {
  return form == Form::File || form == Form::FileOrFolder || is_positional();
}

std::optional<Value> parse_value(const Option& option, std::string_view text,
                                 std::string& problem) {
  switch (option.field.type) {
    case FieldType::Int:
      if (const auto value = read_number<std::int64_t>(text)) return Value(*value);
      problem = fmt::format("invalid {} value: '{}'",
                            option.form == Form::Count ? "_positive_int" : "int", text);
      return std::nullopt;
    case FieldType::Real:
      if (const auto value = read_number<double>(text)) return Value(*value);
      problem = fmt::format("invalid float value: '{}'", text);
      return std::nullopt;
    case FieldType::List:
      return Value(mase::ir::List{Value(text)});
    case FieldType::Table:
      return parse_columns(text, problem);
    default:
      if (!text.empty()) return Value(text);
      problem = "expected a value, got an empty text";
      return std::nullopt;
  }
}

std::string check_value(const Option& option, Value& value) {
  if (value.is_none()) return "";
  if (option.is_number()) return check_number(option, value);
  if (option.field.type == FieldType::Table) return check_columns(value);
  const auto* given = value.get<std::string>();
  if (given == nullptr) return "";
  std::string text = *given;
  std::string problem = check_text(option, text);
  if (problem.empty()) value = text;
  return problem;
}

bool names_missing_file(const Option& option, const Value& value) {
  const bool path =
      option.form == Form::File || option.form == Form::FileOrFolder || option.or_path;
  const auto* text = value.get<std::string>();
  if (!path || !text || text->empty()) return false;
  const auto& choices = option.field.choices;
  if (std::find(choices.begin(), choices.end(), *text) != choices.end()) return false;
  std::error_code error;
  return !fs::exists(fs::status(*text, error));
}

std::string shown(const Value& value) {
  if (const auto* text = value.get<std::string>()) return *text;
  return mase::ir::repr(value);
}

}  // namespace ch
