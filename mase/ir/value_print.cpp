// Values as Python prints them (repr).
#include <fmt/format.h>

#include <cmath>
#include <string>

#include "mase/ir/value.h"

namespace mase::ir {
namespace {

std::string quoted(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + quote;
}

std::string joined(const std::vector<Value>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) out += (i ? ", " : "") + repr(items[i]);
  return out;
}

}  // namespace

std::string repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  // Shortest digits, then Python's rule: an exponent below 1e-4 and from 1e16 on.
  std::string shortest = fmt::format("{}", value);
  const double magnitude = std::fabs(value);
  const bool exponent = magnitude < 1e-4 || magnitude >= 1e16;
  const bool has_exponent = shortest.find('e') != std::string::npos;
  if (exponent) return shortest;  // fmt switches at the same bounds: 1e-05, 1e+16
  if (has_exponent) shortest = fmt::format("{:.1f}", value);
  if (shortest.find('.') == std::string::npos) shortest += ".0";
  return shortest;
}

std::string repr(const Value& value) {
  struct Visitor {
    std::string operator()(const None&) const { return "None"; }
    std::string operator()(bool v) const { return v ? "True" : "False"; }
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return repr(v); }
    std::string operator()(const std::string& v) const { return quoted(v); }
    std::string operator()(const NodeRef& v) const { return "%" + v.name; }
    std::string operator()(const TypeName& v) const { return v.name; }
    std::string operator()(DType v) const { return fmt::format("torch.{}", name(v)); }
    std::string operator()(const Tuple& v) const {
      return v.items.size() == 1 ? fmt::format("({},)", repr(v.items[0]))
                                 : fmt::format("({})", joined(v.items));
    }
    std::string operator()(const List& v) const { return fmt::format("[{}]", joined(v)); }
    std::string operator()(const Dict& v) const {
      std::string out = "{";
      for (std::size_t i = 0; i < v.size(); ++i) {
        out += fmt::format("{}{}: {}", i ? ", " : "", quoted(v[i].first), repr(v[i].second));
      }
      return out + "}";
    }
    std::string operator()(const Tensor& v) const { return print_tensor(v); }
  };
  return std::visit(Visitor{}, value.variant());
}

std::string print_tensor(const Tensor& tensor, std::string_view suffix) {
  return fmt::format("tensor({}{})", text(tensor.shape()), suffix);
}

std::string pretty(const Value& value, int) {
  return repr(value);
}

}  // namespace mase::ir
