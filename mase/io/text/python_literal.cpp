// Recursive descent over Python literals, with a bounded depth.
#include "mase/io/text/python_literal.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "mase/io/bytes.h"

namespace mase::io {
namespace {

using ir::Value;

constexpr int kMaxLiteralDepth = 32;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Value> whole() {
    std::optional<Value> value = item(0);
    skip();
    if (!value || at_ != text_.size()) {
      return ReadError{fmt::format("not a Python literal at character {}", at_ + 1), {}};
    }
    return *std::move(value);
  }

 private:
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  bool eat(std::string_view what) {
    skip();
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }

  std::optional<Value> item(int depth) {
    skip();
    if (depth > kMaxLiteralDepth || at_ == text_.size()) return std::nullopt;
    switch (text_[at_]) {
      case '\'':
      case '"':
        return text();
      case '(':
        return sequence(')', depth);
      case '[':
        return sequence(']', depth);
      case '{':
        return dictionary(depth);
      default:
        break;
    }
    if (eat("True")) return Value(true);
    if (eat("False")) return Value(false);
    if (eat("None")) return Value();
    return number();
  }

  std::optional<Value> text() {
    const char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] != '\\') {
        out += text_[at_++];
      } else if (!escape(out)) {
        return std::nullopt;
      }
    }
    if (at_ == text_.size()) return std::nullopt;
    ++at_;
    return Value(std::move(out));
  }

  // What Python's repr() escapes: quotes, the backslash and what cannot be shown.
  bool escape(std::string& out) {
    if (at_ + 1 >= text_.size()) return false;
    const char kind = text_[at_ + 1];
    at_ += 2;
    if (kind == 'x') return code_point(2, out);
    if (kind == 'u') return code_point(4, out);
    if (kind == 'U') return code_point(8, out);
    constexpr std::string_view kEscaped = "\\'\"nrt";
    constexpr std::string_view kMeant = "\\'\"\n\r\t";
    const std::size_t which = kEscaped.find(kind);
    if (which == std::string_view::npos) return false;
    out += kMeant[which];
    return true;
  }

  // A character of so many hexadecimal digits.
  bool code_point(std::size_t digits, std::string& out) {
    if (text_.size() - at_ < digits) return false;
    const char* first = text_.data() + at_;
    std::uint32_t code = 0;
    const auto [end, problem] = std::from_chars(first, first + digits, code, 16);
    at_ += digits;
    return problem == std::errc{} && end == first + digits && append_utf8(code, out);
  }

  std::optional<Value> number() {
    const char* first = text_.data() + at_;
    const char* last = text_.data() + text_.size();
    std::int64_t integer = 0;
    const auto [end, code] = std::from_chars(first, last, integer);
    if (code != std::errc{}) return std::nullopt;
    if (end != last && (*end == '.' || *end == 'e')) {
      double real = 0;
      const auto [real_end, real_code] = std::from_chars(first, last, real);
      if (real_code != std::errc{}) return std::nullopt;
      at_ += static_cast<std::size_t>(real_end - first);
      return Value(real);
    }
    at_ += static_cast<std::size_t>(end - first);
    eat("L");  // long integers as Python 2 wrote them
    return Value(integer);
  }

  std::optional<Value> sequence(char close, int depth) {
    ++at_;
    ir::List items;
    bool comma = false;
    while (!eat(std::string_view(&close, 1))) {
      if (!items.empty() && !comma) return std::nullopt;
      auto next = item(depth + 1);
      if (!next) return std::nullopt;
      items.push_back(*std::move(next));
      comma = eat(",");
    }
    if (close == ']') return Value(std::move(items));
    if (items.size() == 1 && !comma) return std::move(items[0]);  // (x) is x, (x,) a tuple
    return Value(ir::Tuple{std::move(items)});
  }

  std::optional<Value> dictionary(int depth) {
    ++at_;
    ir::Dict items;
    bool comma = true;
    while (!eat("}")) {
      if (!comma) return std::nullopt;
      auto key = item(depth + 1);
      if (!key || !key->is<std::string>() || !eat(":")) return std::nullopt;
      auto value = item(depth + 1);
      if (!value) return std::nullopt;
      items.emplace_back(key->as_text(), *std::move(value));
      comma = eat(",");
    }
    return Value(std::move(items));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<ir::Value> parse_python_literal(std::string_view text) {
  return Parser(text).whole();
}

}  // namespace mase::io
