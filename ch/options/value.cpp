// From the text of a command line, or the value of a file, to a checked value of the option's type.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "ch/options/columns.h"
#include "ch/options/option.h"
#include "mase/support/installation.h"
#include "mase/support/paths.h"
#include "mase/support/suggest.h"

namespace ch {

namespace fs = std::filesystem;
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

std::string quoted_choices(const Option& option) {
  std::string text;
  for (const std::string_view choice : option.choices) {
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", choice);
  }
  return text;
}

std::string check_choice(const Option& option, const std::string& value) {
  if (std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end()) {
    return "";
  }
  for (const Refusal& refusal : option.refused) {
    if (refusal.value == value) {
      return fmt::format("'{}' is not available: {} (choose from {})", value, refusal.reason,
                         quoted_choices(option));
    }
  }
  const std::vector<std::string> names(option.choices.begin(), option.choices.end());
  const std::string near = mase::did_you_mean(value, names);
  return fmt::format("invalid choice: '{}' (choose from {}){}{}", value, quoted_choices(option),
                     near.empty() ? "" : "; ", near);
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
  const fs::path path = option.type == Type::File ? mase::find_shared(value) : fs::path(value);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const bool exists = fs::exists(status);
  switch (option.type) {
    case Type::File:
      if (!exists) return absence("file", path, error);
      if (fs::is_directory(status)) return fmt::format("expected path to file: '{}'", value);
      break;
    case Type::FileOrFolder:
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

std::string check_range(const Option& option, double value) {
  // Counts below their least value mean "none", with a warning: settle().
  const bool low =
      option.type != Type::PositiveInt && option.minimum && !(value >= *option.minimum);
  const bool high = option.maximum && !(value <= *option.maximum);
  if (!std::isfinite(value)) return "must be a finite number";
  if (!low && !high) return "";
  // A bound that only keeps counts from overflowing is named by itself.
  constexpr double kOpen = 1e9;
  const bool open = option.maximum && *option.maximum >= kOpen;
  std::string text;
  if (option.minimum && option.maximum && *option.minimum == *option.maximum) {
    text = fmt::format("must be {:g}", *option.minimum);
  } else if (option.minimum && option.maximum && !open) {
    text = fmt::format("must lie in {:g} to {:g}", *option.minimum, *option.maximum);
  } else if (low) {
    text = fmt::format("must be at least {:g}", *option.minimum);
  } else {
    text = fmt::format("must be at most {:.17g}", *option.maximum);
  }
  text += fmt::format(", got {:g}", value);
  if (!option.range_reason.empty()) text += fmt::format(": {}", option.range_reason);
  return text;
}

}  // namespace

std::optional<Value> parse_value(const Option& option, std::string_view text,
                                 std::string& problem) {
  switch (option.type) {
    case Type::Int:
    case Type::PositiveInt:
      if (const auto value = read_number<std::int64_t>(text)) return Value(*value);
      problem = fmt::format("invalid {} value: '{}'",
                            option.type == Type::Int ? "int" : "_positive_int", text);
      return std::nullopt;
    case Type::Number:
      if (const auto integer = read_number<std::int64_t>(text)) {
        return Value(static_cast<double>(*integer));
      }
      if (const auto value = read_number<double>(text)) return Value(*value);
      problem = fmt::format("invalid float value: '{}'", text);
      return std::nullopt;
    case Type::TextList:
      return Value(mase::ir::List{Value(text)});
    case Type::Columns:
      return parse_columns(text, problem);
    default:
      if (text.empty()) {
        problem = "expected a value, got an empty text";
        return std::nullopt;
      }
      return Value(text);
  }
}

std::string check_value(const Option& option, Value& value) {
  if (value.is_none()) return "";
  switch (option.type) {
    case Type::Int:
    case Type::PositiveInt:
    case Type::Number:
      return check_range(option, value.as_number());
    case Type::Columns:
      return check_columns(value);
    case Type::Choice:
      return check_choice(option, value.as_text());
    case Type::OptionalChoice: {
      std::string problem = check_choice(option, value.as_text());
      if (problem.empty() || !option.or_path) return problem;
      const fs::path path = value.as_text();
      std::error_code error;
      if (!fs::exists(fs::status(path, error))) {
        const std::vector<std::string> names(option.choices.begin(), option.choices.end());
        const std::string near = mase::did_you_mean(path.string(), names);
        return absence("file", path, error) + (near.empty() ? "" : "; " + near);
      }
      value = mase::absolute_path(path).string();
      return "";
    }
    case Type::File:
    case Type::FileOrFolder:
    case Type::Folder: {
      std::string path = value.as_text();
      std::string problem = check_path(option, path);
      if (problem.empty()) value = path;
      return problem;
    }
    default:
      return "";
  }
}

bool names_missing_file(const Option& option, const Value& value) {
  const bool path =
      option.type == Type::File || option.type == Type::FileOrFolder || option.or_path;
  const auto* text = value.get<std::string>();
  if (!path || !text || text->empty()) return false;
  const auto& choices = option.choices;
  if (std::find(choices.begin(), choices.end(), *text) != choices.end()) return false;
  std::error_code error;
  return !fs::exists(fs::status(*text, error));
}

std::string shown(const Value& value) {
  if (const auto* text = value.get<std::string>()) return *text;
  return mase::ir::repr(value);
}

}  // namespace ch
