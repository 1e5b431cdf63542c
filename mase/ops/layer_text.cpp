// Layers as PyTorch prints and users write them: "Linear(in_features=16, out_features=5,
// bias=True)", "Linear(16, 5)". Values follow Python: 16, 1e-3, True, None.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "mase/ops/rules.h"
#include "mase/support/suggest.h"

namespace mase::ops {
namespace {

// The formats that a node uses, each once.
std::vector<const numerics::Format*> formats_of(const ir::Node& node) {
  std::vector<const numerics::Format*> used;
  for (const auto& [argument, configured] : node.precision) {
    const numerics::Precision* precision = node.precision_of(argument);
    if (!precision || std::find(used.begin(), used.end(), precision->format) != used.end())
      continue;
    used.push_back(precision->format);
  }
  return used;
}

// "LinearInteger"; with two formats "LinearIntegerBlockFP".
std::string class_text(const ir::Node& node, const Op& op) {
  std::string text(op.layer);
  for (const numerics::Format* format : formats_of(node)) text += format->layer_suffix;
  return text;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// A cursor over the text that knows where it stands in the user's file.
class Reader {
 public:
  Reader(std::string_view text, const Location& where) : text_(text), where_(where) {}

  [[noreturn]] void fail(std::string message, std::size_t at, std::string hint = {}) const {
    Location where = where_;
    if (where.line > 0 && where.column > 0) {
      where.column += static_cast<int>(at);
    } else {
      message += fmt::format(" (character {} of '{}')", at + 1, text_.substr(0, 200));
    }
    usage_error(std::move(message), std::move(where), std::move(hint));
  }
  Location place(std::size_t at) const {
    Location where = where_;
    if (where.line > 0 && where.column > 0) where.column += static_cast<int>(at);
    return where;
  }

  std::size_t at() const { return at_; }
  bool done() {
    skip_space();
    return at_ == text_.size();
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // Letters, digits, underscores and dots.
  std::string_view word() {
    skip_space();
    const std::size_t from = at_;
    while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '.')) ++at_;
    return text_.substr(from, at_ - from);
  }
  // Of an attribute whose values may be one of `names`: 3, (3, 1), same, 'same'.
  ir::Value value(const std::vector<std::string_view>& names) {
    skip_space();
    const std::size_t from = at_;
    if (take('(')) return tuple(')');
    if (take('[')) return tuple(']');
    for (char quote : {'\'', '"'}) {
      if (take(quote)) return quoted(quote, from);
    }
    while (at_ < text_.size() &&
           (is_word(text_[at_]) || text_[at_] == '.' || text_[at_] == '-' || text_[at_] == '+')) {
      ++at_;
    }
    const std::string_view word = text_.substr(from, at_ - from);
    if (word == "True" || word == "true") return true;
    if (word == "False" || word == "false") return false;
    if (word == "None") return ir::None{};
    if (auto number = parse_number(word)) return *number;
    if (std::find(names.begin(), names.end(), word) != names.end()) return word;
    if (word.empty()) fail("a value is missing", from);
    fail(fmt::format("'{}' is neither a number nor True, False or None", word), from);
  }

 private:
  ir::Value tuple(char close) {
    ir::Tuple out;
    while (!take(close)) {
      if (!out.items.empty() && !take(',')) {
        fail(fmt::format("',' or '{}' is expected here", close), at_);
      }
      if (!out.items.empty() && take(close)) break;  // (3,)
      if (done()) fail(fmt::format("'{}' is missing", close), at_);
      if (text_[at_] == '(' || text_[at_] == '[')
        fail("a tuple of tuples cannot be an argument", at_);
      out.items.push_back(value({}));
    }
    return out;
  }
  ir::Value quoted(char quote, std::size_t from) {
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("the text has no closing quote", from);
    const std::string_view text = text_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  static std::optional<ir::Value> parse_number(std::string_view word) {
    if (word.starts_with('+')) word.remove_prefix(1);
    const char* end = word.data() + word.size();
    std::int64_t integer = 0;
    if (const auto [p, e] = std::from_chars(word.data(), end, integer);
        e == std::errc() && p == end) {
      return ir::Value(integer);
    }
    double number = 0;
    if (const auto [p, e] = std::from_chars(word.data(), end, number);
        e == std::errc() && p == end) {
      return ir::Value(number);
    }
    return std::nullopt;
  }

  std::string_view text_;
  Location where_;
  std::size_t at_ = 0;
};

const Op& read_class(Reader& reader) {
  const std::size_t from = reader.at();
  std::string_view name = reader.word();
  for (std::string_view prefix : {"torch.", "nn."}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  if (name.empty()) reader.fail("a layer is expected here, such as Linear(16, 5)", from);
  if (const Op* op = find_layer(name)) return *op;
  std::vector<std::string> known;
  for (const Op* op : ops()) {
    if (!op->layer.empty()) known.emplace_back(op->layer);
  }
  reader.fail(fmt::format("there is no layer '{}'", name), from, did_you_mean(name, known));
}

// The attribute that an argument is for: by keyword, or the next by position.
const Attribute& read_target(Reader& reader, const Op& op, std::size_t& position) {
  Reader ahead = reader;
  const std::string_view word = ahead.word();
  const std::size_t from = ahead.at() - word.size();
  if (!word.empty() && ahead.take('=')) {
    reader = ahead;
    if (const Attribute* attribute = find_attribute(op, word)) return *attribute;
    reader.fail(fmt::format("{} has no argument '{}'", op.layer, word), from,
                did_you_mean(word, attribute_names(op)));
  }
  const auto places = std::count_if(op.attributes.begin(), op.attributes.end(),
                                    [](const Attribute& a) { return !a.by_name; });
  if (position >= static_cast<std::size_t>(places)) {
    reader.fail(fmt::format("{} takes at most {} arguments", op.layer, places), from);
  }
  return op.attributes[position++];
}

}  // namespace

std::string print_layer(const ir::Node& node) {
  const Op& op = op_of(node);
  std::string out;
  for (const Attribute& attribute : op.attributes) {
    const ir::Value* value = node.attribute(attribute.name());
    if (!value || attribute.print == Attribute::Print::Never) continue;
    const bool changed = !attribute.field.standard || *value != standard_of(attribute);
    if (attribute.print == Attribute::Print::WhenChanged && !changed) continue;
    if (!out.empty()) out += ", ";
    if (attribute.print != Attribute::Print::Positional)
      out += fmt::format("{}=", attribute.name());
    const auto* text = value->get<std::string>();
    out += text ? *text : ir::repr(*value);  // PyTorch prints texts without quotes
  }
  return fmt::format("{}({})", class_text(node, op), out);
}

std::string type_text(const ir::Node& node) {
  const Op* op = find_op_of(node);
  if (!op) return node.target;
  if (node.kind == ir::NodeKind::CallModule) return class_text(node, *op);
  if (node.kind == ir::NodeKind::CallMethod) return node.target;
  std::string text = ir::parent_name(node.target).second;
  for (const numerics::Format* format : formats_of(node)) text += fmt::format("_{}", format->name);
  return text;
}

LayerText parse_layer(std::string_view text, const Location& where) {
  Reader reader(text, where);
  LayerText out{.op = &read_class(reader), .attributes = {}};
  const bool bracket = reader.take('(');
  if (!bracket && !reader.done()) reader.fail("'(' is expected here", reader.at());
  std::size_t position = 0;
  while (bracket && !reader.take(')')) {
    if (!out.attributes.empty() && !reader.take(',')) {
      reader.fail("',' or ')' is expected here", reader.at());
    }
    if (!out.attributes.empty() && reader.take(')')) break;  // Linear(16, 5,)
    reader.done();  // to the first character of the argument
    const std::size_t from = reader.at();
    const Attribute& attribute = read_target(reader, *out.op, position);
    if (ir::find(out.attributes, attribute.name())) {
      reader.fail(fmt::format("{} is given twice", attribute.name()), from);
    }
    reader.done();  // to the first character of the value
    const std::size_t at = reader.at();
    ir::Value value = reader.value(attribute.field.choices);
    out.attributes.emplace_back(attribute.name(), checked(attribute, value, reader.place(at)));
  }
  if (!reader.done()) reader.fail("nothing may follow the layer", reader.at());
  out.attributes = complete_attributes(*out.op, out.attributes, where);
  return out;
}

}  // namespace mase::ops
