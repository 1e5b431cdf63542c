// Reads the text form of a graph: recursive descent over one line at a time, with a limit to the
// depth of nesting. The first mistake unwinds as an exception of this file's own and comes out as
// a ReadError.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

#include "mase/ir/field_value.h"
#include "mase/ir/graph_text.h"
#include "mase/support/printable.h"
#include "mase/support/suggest.h"

namespace mase::ir {
namespace {

constexpr int kDeepest = 64;

struct Mistake {
  std::string message;
  std::size_t at;  // offset in the text
};

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// Of numbers, None, True, False and element types.
bool is_value_character(char c) {
  return is_word_char(c) || c == '+' || c == '-' || c == '.';
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[noreturn]] void fail(std::string message) const { throw Mistake{std::move(message), at_}; }
  bool done() const { return at_ == text_.size(); }

  // --- characters and words; space is blanks only, lines end with \n ---
  void space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(fmt::format("'{}' is expected here", c));
  }
  void end_line() {
    space();
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ == text_.size()) return;
    if (text_[at_] != '\n') fail("the line should end here");
    ++at_;
  }
  // Also skips empty lines; true if the next line starts with two blanks.
  bool continues() {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
    return text_.substr(at_).starts_with("  ");
  }
  bool ends() {  // the line, that is
    space();
    return at_ == text_.size() || text_[at_] == '\n' || text_[at_] == '\r';
  }
  std::string_view word() {
    space();
    const std::size_t from = at_;
    while (at_ < text_.size() && is_word_char(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }
  void expect_word(std::string_view wanted) {
    space();
    const std::size_t from = at_;
    if (word() != wanted) {
      at_ = from;
      fail(fmt::format("'{}' is expected here", wanted));
    }
  }

  std::string quoted() {
    expect('\'');
    std::string out;
    while (true) {
      if (at_ == text_.size() || text_[at_] == '\n') fail("the text has no closing quote");
      const char c = text_[at_++];
      if (c == '\'') return out;
      out += c == '\\' ? escaped() : c;
    }
  }

  // Of a node or what it calls: they are printed as they are.
  std::string name() {
    space();
    const std::size_t from = at_;
    std::string out = quoted();
    if (printable(out) == out && out.find_first_of("\n\t") == std::string::npos) return out;
    at_ = from;
    fail("a name holds control characters");
  }

  // --- values ---
  Value value(int depth = 0) {
    if (depth > kDeepest) fail("values are nested too deeply");
    space();
    if (at_ == text_.size()) fail("a value is expected here");
    switch (text_[at_]) {
      case '\'':
        return quoted();
      case '%':
        ++at_;
        return NodeRef{node_name()};
      case '<':
        return type_name();
      case '(':
        return tuple(depth);
      case '[':
        ++at_;
        return items(']', depth);
      case '{':
        return dict(depth);
      default:
        return plain();
    }
  }
  Dict dict(int depth = 0) {
    if (depth > kDeepest) fail("values are nested too deeply");
    Dict out;
    expect('{');
    while (!take('}')) {
      if (!out.empty()) expect(',');
      std::string key = quoted();
      expect(':');
      out.emplace_back(std::move(key), value(depth + 1));
    }
    return out;
  }
  Shape shape() {
    Shape out;
    expect('[');
    while (!take(']')) {
      if (!out.empty()) expect(',');
      const Value size = plain();
      const auto* number = size.get<std::int64_t>();
      if (!number || *number < 0) fail("a size is expected here");
      out.push_back(*number);
    }
    element_count_of(out);
    return out;
  }
  DType dtype() {
    const std::string_view text = word();
    DType out{};
    if (!parse_dtype(text, out)) fail(fmt::format("there is no element type '{}'", text));
    return out;
  }

 private:
  char escaped() {
    if (at_ == text_.size()) fail("the text has no closing quote");
    const char c = text_[at_++];
    if (c == '\'' || c == '\\') return c;
    unsigned byte = 0;
    const std::string_view digits = text_.substr(at_, 2);
    const auto [stop, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (c != 'x' || digits.size() != 2 || stop != digits.data() + 2) fail("unknown escape");
    at_ += 2;
    return static_cast<char>(byte);
  }
  std::string node_name() {
    if (at_ < text_.size() && text_[at_] == '\'') return quoted();
    const std::string_view name = word();
    if (name.empty()) fail("a node's name is expected here");
    return std::string(name);
  }
  Value type_name() {
    expect('<');
    std::string name = quoted();
    expect('>');
    return TypeName{std::move(name)};
  }
  std::vector<Value> items(char end, int depth) {
    std::vector<Value> out;
    while (!take(end)) {
      if (!out.empty()) expect(',');
      if (!out.empty() && take(end)) break;  // (1,)
      out.push_back(value(depth + 1));
    }
    return out;
  }
  Value tuple(int depth) {
    expect('(');
    return Tuple{items(')', depth)};
  }
  Value plain() {
    const std::size_t from = at_;
    space();
    while (at_ < text_.size() && is_value_character(text_[at_])) ++at_;
    std::string_view token = text_.substr(from, at_ - from);
    token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
    if (token == "None") return None{};
    if (token == "True") return true;
    if (token == "False") return false;
    if (token == "tensor") return tensor();
    DType type{};
    if (token.starts_with("torch.") && parse_dtype(token, type)) return type;
    const char* end = token.data() + token.size();
    std::int64_t integer = 0;
    if (const auto [stop, error] = std::from_chars(token.data(), end, integer);
        error == std::errc() && stop == end) {
      return integer;
    }
    double number = 0;
    if (const auto [stop, error] = std::from_chars(token.data(), end, number);
        error == std::errc() && stop == end && !token.empty()) {
      return number;
    }
    at_ = from;
    fail(token.empty() ? "a value is expected here" : fmt::format("'{}' is no value", token));
  }
  // The number of elements, or a mistake if no tensor can have that many.
  std::int64_t element_count_of(const Shape& shape) const {
    std::int64_t count = 1;
    for (std::int64_t size : shape) {
      if (__builtin_mul_overflow(count, size, &count) || count > (std::int64_t{1} << 40)) {
        fail(fmt::format("no tensor has the shape {}", text(shape)));
      }
    }
    return count;
  }
  Value tensor() {
    expect('(');
    if (take(')')) return Tensor();
    const DType type = dtype();
    expect(',');
    const Shape sizes = shape();
    expect(',');
    const std::string hex = quoted();
    expect(')');
    const std::size_t bytes = static_cast<std::size_t>(element_count_of(sizes)) * size_of(type);
    if (hex.size() != 2 * bytes) fail("the tensor's elements do not fill its shape");
    Tensor out(sizes, type);
    std::byte* to = out.data_mut();
    for (std::size_t i = 0; i < bytes; ++i) {
      unsigned byte = 0;
      const char* digits = hex.data() + 2 * i;
      const auto [stop, error] = std::from_chars(digits, digits + 2, byte, 16);
      if (error != std::errc() || stop != digits + 2)
        fail("the tensor's elements are no hexadecimal");
      to[i] = static_cast<std::byte>(byte);
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

numerics::Precision read_precision(Reader& reader) {
  const std::string type = reader.quoted();
  if (type == "float") return {};
  numerics::Values values;
  for (const auto& [key, value] : reader.dict()) values[key] = field_value(value);
  if (!reader.ends()) {  // in the first version of this text two words followed
    values["rounding"] = reader.word();
    values["overflow"] = reader.word();
  }
  try {
    return numerics::make_precision(type, std::move(values));
  } catch (const Error& error) {
    reader.fail(error.hint().empty() ? error.message() : error.message() + "; " + error.hint());
  }
}

Node read_node(Reader& reader) {
  Node node;
  node.name = reader.name();
  const std::string_view kind = reader.word();
  if (!parse_node_kind(kind, node.kind)) {
    reader.fail(fmt::format("there is no kind of node '{}'", kind));
  }
  node.op = reader.name();
  node.target = reader.name();
  reader.end_line();
  while (reader.continues()) {
    const std::string_view key = reader.word();
    if (key == "type") {
      TensorType type{.dtype = reader.dtype()};
      type.shape = reader.shape();
      node.type = std::move(type);
    } else if (key == "args") {
      const Value args = reader.value();
      if (!args.is<Tuple>()) reader.fail("args must be a tuple");
      node.args = args.get<Tuple>()->items;
    } else if (key == "kwargs") {
      node.kwargs = reader.dict();
    } else if (key == "attributes") {
      node.attributes = reader.dict();
    } else if (key == "precision") {
      std::string argument = reader.quoted();
      node.precision.emplace_back(std::move(argument), read_precision(reader));
    } else if (key == "bypass") {
      node.bypass = true;
    } else if (key == "quantisation") {  // of the first version: what the formats came from
      reader.dict();
    } else {
      reader.fail(fmt::format("a node has no part '{}'", key));
    }
    reader.end_line();
  }
  return node;
}

GraphText read_graph(Reader& reader) {
  GraphText out;
  for (std::string_view word : {"mase", "graph"}) reader.expect_word(word);
  if (const std::string_view version = reader.word(); version != "1" && version != "2") {
    reader.fail(fmt::format("version {} of the text of graphs is not known here", version));
  }
  reader.end_line();
  reader.expect_word("graph");
  out.graph.name = reader.quoted();
  reader.expect_word("class");
  out.graph.class_name = reader.quoted();
  reader.end_line();
  while (true) {
    if (reader.continues()) reader.fail("a line of a node stands outside of one");
    if (reader.done()) return out;
    const std::string_view key = reader.word();
    if (key == "parameter" || key == "buffer") {
      ParameterLine line{.name = reader.quoted(), .shape = {}, .is_buffer = key == "buffer"};
      line.dtype = reader.dtype();
      line.shape = reader.shape();
      out.parameters.push_back(std::move(line));
      reader.end_line();
    } else if (key == "node") {
      out.graph.nodes_mut().push_back(read_node(reader));
    } else {
      reader.fail("'parameter', 'buffer' or 'node' is expected here");
    }
  }
}

ReadError error_at(const Mistake& mistake, std::string_view text, const std::string& file) {
  const std::string_view before = text.substr(0, mistake.at);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto lines = std::count(before.begin(), before.end(), '\n');
  return {mistake.message,
          {.file = file.empty() ? "graph text" : file,
           .line = static_cast<int>(lines) + 1,
           .column = static_cast<int>(std::min<std::size_t>(mistake.at - line_start, 100000)) + 1}};
}

}  // namespace

Result<GraphText> parse_graph(std::string_view text, const std::string& file_name) {
  Reader reader(text);
  try {
    return read_graph(reader);
  } catch (const Mistake& mistake) {
    return error_at(mistake, text, file_name);
  }
}

Result<Value> parse_literal(std::string_view text) {
  Reader reader(text);
  try {
    Value value = reader.value();
    reader.space();
    if (!reader.done()) reader.fail("nothing may follow the value");
    return value;
  } catch (const Mistake& mistake) {
    return error_at(mistake, text, "");
  }
}

Result<Graph> with_parameters(GraphText text, const State& values) {
  std::unordered_map<std::string_view, const Tensor*> given;
  for (const auto& [name, value] : values) given.emplace(name, &value);
  std::unordered_set<std::string> taken;
  for (ParameterLine& line : text.parameters) {
    const auto found = given.find(line.name);
    const Tensor* value = found == given.end() ? nullptr : found->second;
    if (!value) return ReadError{fmt::format("the parameter '{}' is missing", line.name), {}};
    if (value->shape() != line.shape || value->dtype() != line.dtype) {
      return ReadError{fmt::format("the parameter '{}' is {} {}, but the graph says {} {}",
                                   line.name, name(value->dtype()), ir::text(value->shape()),
                                   name(line.dtype), ir::text(line.shape)),
                       {}};
    }
    if (!taken.insert(line.name).second) {
      return ReadError{fmt::format("the parameter '{}' is named twice", line.name), {}};
    }
    text.graph.parameters_mut().push_back({std::move(line.name), *value, line.is_buffer});
  }
  for (const auto& [name, value] : values) {
    if (!taken.contains(name)) {
      return ReadError{fmt::format("'{}' is no parameter of the graph", name), {}};
    }
  }
  return std::move(text.graph);
}

}  // namespace mase::ir
