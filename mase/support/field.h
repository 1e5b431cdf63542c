#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// A named value with type, range, choices, default and help: one row for everything that a user may
// set, be it the parameter of a number format, the key of a pass, the attribute of a layer or an
// option of the program. Checks, messages and help derive from the row.
namespace mase {

// A plain value, as files, command lines and Python hold it. Prints as Python prints it.
class FieldValue {
 public:
  struct None {  // open: "NA" in a file
    bool operator==(const None&) const = default;
  };
  // Something that is no plain value (a tensor, a reference); all that is known is how it prints.
  struct Foreign {
    std::string text;
    bool operator==(const Foreign&) const = default;
  };
  using List = std::vector<FieldValue>;
  using Table = std::vector<std::pair<std::string, FieldValue>>;
  using Variant = std::variant<None, bool, std::int64_t, double, std::string, List, Table, Foreign>;

  FieldValue() = default;
  FieldValue(None) {}
  FieldValue(bool v) : v_(v) {}
  FieldValue(int v) : v_(std::int64_t{v}) {}
  FieldValue(std::int64_t v) : v_(v) {}
  FieldValue(double v) : v_(v) {}
  FieldValue(const char* v) : v_(std::string(v)) {}
  FieldValue(std::string v) : v_(std::move(v)) {}
  FieldValue(std::string_view v) : v_(std::string(v)) {}
  FieldValue(List v) : v_(std::move(v)) {}
  FieldValue(Table v) : v_(std::move(v)) {}
  FieldValue(Foreign v) : v_(std::move(v)) {}

  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(v_);
  }
  template <typename T>
  const T* get() const {
    return std::get_if<T>(&v_);
  }
  bool is_none() const { return is<None>(); }
  bool is_number() const { return is<std::int64_t>() || is<double>(); }
  double number() const;  // of a number; Error{Internal} otherwise
  const Variant& variant() const { return v_; }

  bool operator==(const FieldValue& other) const { return v_ == other.v_; }

 private:
  Variant v_;
};

inline constexpr FieldValue::None kOpen{};  // the default of a field that may stay open

std::string repr(const FieldValue& value);
// The shortest text that reads back to the same double, as Python prints it: 0.1, 1e-05, 640.0.
std::string repr(double value);

enum class FieldType {
  Bool,  // 0 and 1 will do
  Int,
  Real,  // a whole number will do
  Text,
  Path,
  List,   // of `items`; one item by itself counts as a list of one, or of all (one_for_all)
  Table,  // checked by whoever reads it
  Any,    // None as well
};
std::string_view name(FieldType type);  // "bool", "text", ...

struct Field {
  std::string_view name;
  FieldType type = FieldType::Int;
  // The default. Absent: a value must be given. None: the field may stay open, which means what the
  // help says; None may be given too then.
  std::optional<FieldValue> standard = std::nullopt;
  std::optional<double> low = std::nullopt;  // smallest and largest number allowed, also in lists
  std::optional<double> high = std::nullopt;
  std::vector<std::string_view> choices = {};  // of texts, also in lists; beside a number's values
  FieldType items = FieldType::Int;            // of a list
  std::size_t rank = 0;                        // of a list: the number of its items; 0 = any
  bool one_for_all = false;  // of such a list: one item stands for `rank` times it
  bool open = false;         // None may be given, also in lists
  std::string_view help = "";
  // What an example gives it, where neither the default nor the first choice will do.
  std::string_view example = "";

  bool must_be_given() const { return !standard; }
  bool may_be_open() const { return open || (standard && standard->is_none()); }
};

// "a whole number from 1 to 32", "one of a, b", "a list of numbers, or "NA"". `none` is how None is
// spelt where the value comes from.
std::string wanted(const Field& field, std::string_view none = "\"NA\"");
// "int", "list of texts".
std::string type_text(const Field& field);
// "from 1 to 32", "at least 1", "" without bounds.
std::string range_text(const Field& field);

// The value as the field's type: whole numbers as reals, 0 and 1 as truth values, one item as a
// list. Nothing if it does not fit type, range, choices or rank.
std::optional<FieldValue> fitted(const Field& field, const FieldValue& value);
// What is wrong with a value: "must be a whole number from 1 to 32, not 0" with the nearest choice
// behind it; "" if it fits.
std::string misfit(const Field& field, const FieldValue& value, std::string_view none = "\"NA\"");
// The same with the name: "width must be ...".
std::string problem(const Field& field, const FieldValue& value, std::string_view none = "\"NA\"");

const Field* find_field(std::span<const Field> fields, std::string_view name);
std::vector<std::string> field_names(std::span<const Field> fields);

}  // namespace mase
