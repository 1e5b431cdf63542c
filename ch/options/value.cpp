// From the text of a command line, or the value of a file, to a checked value of the option's type.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "ch/options/option.h"
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
  return fs::exists(other) ? fmt::format("; did you mean '{}'?", other) : "";
}

std::string check_path(const Option& option, std::string& value) {
  const fs::path path = value;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const bool exists = fs::exists(status);
  switch (option.type) {
    case Type::File:
      if (!exists) return fmt::format("file not found: '{}'{}", value, path_hint(path));
      if (fs::is_directory(status)) return fmt::format("expected path to file: '{}'", value);
      break;
    case Type::FileOrFolder:
      if (!exists)
        return fmt::format("file or directory not found: '{}'{}", value, path_hint(path));
      break;
    default:
      if (exists && !fs::is_directory(status)) {
        return fmt::format("expected path to directory, got file: '{}'", value);
      }
      break;
  }
  value = fs::absolute(path).lexically_normal().string();
  if (value.size() > 1 && value.ends_with('/')) value.pop_back();
  return "";
}

std::string check_range(const Option& option, double value) {
  const bool low = option.minimum && !(value >= *option.minimum);
  const bool high = option.maximum && !(value <= *option.maximum);
  if (!std::isfinite(value)) return "must be a finite number";
  if (!low && !high) return "";
  std::string text;
  if (option.minimum && option.maximum && *option.minimum == *option.maximum) {
    text = fmt::format("must be {:g}", *option.minimum);
  } else if (option.minimum && option.maximum) {
    text = fmt::format("must lie in {:g} to {:g}", *option.minimum, *option.maximum);
  } else if (low) {
    text = fmt::format("must be at least {:g}", *option.minimum);
  } else {
    text = fmt::format("must be at most {:g}", *option.maximum);
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
    case Type::Number:
      return check_range(option, value.as_number());
    case Type::Choice:
      return check_choice(option, value.as_text());
    case Type::OptionalChoice: {
      std::string problem = check_choice(option, value.as_text());
      if (problem.empty() || !option.or_path) return problem;
      std::error_code error;
      if (!fs::exists(value.as_text(), error)) {
        return fmt::format("{}, and no such file", problem);
      }
      value = fs::absolute(value.as_text()).lexically_normal().string();
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

std::string shown(const Value& value) {
  if (const auto* text = value.get<std::string>()) return *text;
  return mase::ir::repr(value);
}

}  // namespace ch
