// Writes the text form of a graph.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "mase/ir/field_value.h"
#include "mase/ir/graph_text.h"

namespace mase::ir {
namespace {

// Between quotes every byte stands for itself but these: quote, backslash, control characters.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "'";
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

std::string joined(const std::vector<Value>& items) {
  std::string out;
  for (const Value& item : items) out += (out.empty() ? "" : ", ") + literal(item);
  return out;
}

std::string tensor_literal(const Tensor& tensor) {
  if (!tensor.defined()) return "tensor()";
  std::string hex;
  for (std::size_t i = 0; i < tensor.bytes(); ++i) {
    hex += fmt::format("{:02x}", std::to_integer<unsigned>(tensor.data()[i]));
  }
  return fmt::format("tensor({}, {}, '{}')", name(tensor.dtype()), text(tensor.shape()), hex);
}

std::string precision_line(const std::string& argument, const numerics::Precision& precision) {
  std::string out = fmt::format("  precision {} {}", quoted(argument), quoted(precision.type()));
  if (precision.is_float()) return out + "\n";
  Dict values;
  for (const auto& [key, value] : precision.values) values.emplace_back(key, value_of(value));
  return fmt::format("{} {}\n", out, literal(values));
}

std::string node_lines(const Node& node) {
  std::string out = fmt::format("node {} {} {} {}\n", quoted(node.name), name(node.kind),
                                quoted(node.op), quoted(node.target));
  const auto line = [&](std::string_view key, const Value& value) {
    out += fmt::format("  {} {}\n", key, literal(value));
  };
  if (node.type) {
    out += fmt::format("  type {} {}\n", name(node.type->dtype), text(node.type->shape));
  }
  if (!node.args.empty()) line("args", Tuple{node.args});
  if (!node.kwargs.empty()) line("kwargs", node.kwargs);
  if (!node.attributes.empty()) line("attributes", node.attributes);
  for (const auto& [argument, precision] : node.precision)
    out += precision_line(argument, precision);
  if (node.bypass) out += "  bypass\n";
  return out;
}

}  // namespace

std::string literal(const Value& value) {
  struct Visitor {
    const Value& value;
    std::string operator()(const std::string& v) const { return quoted(v); }
    std::string operator()(const NodeRef& v) const {
      return "%" + (is_word(v.name) ? v.name : quoted(v.name));
    }
    std::string operator()(const TypeName& v) const { return fmt::format("<{}>", quoted(v.name)); }
    std::string operator()(const Tuple& v) const {
      return fmt::format("({}{})", joined(v.items), v.items.size() == 1 ? "," : "");
    }
    std::string operator()(const List& v) const { return fmt::format("[{}]", joined(v)); }
    std::string operator()(const Dict& v) const {
      std::string out;
      for (const auto& [key, item] : v) {
        out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", quoted(key), literal(item));
      }
      return "{" + out + "}";
    }
    std::string operator()(const Tensor& v) const { return tensor_literal(v); }
    std::string operator()(None) const { return repr(value); }
    std::string operator()(bool) const { return repr(value); }
    std::string operator()(std::int64_t) const { return repr(value); }
    std::string operator()(double) const { return repr(value); }
    std::string operator()(DType) const { return repr(value); }
  };
  return std::visit(Visitor{value}, value.variant());
}

std::string to_text(const Graph& graph) {
  std::string out = fmt::format("mase graph 2\ngraph {} class {}\n", quoted(graph.name),
                                quoted(graph.class_name));
  for (const Parameter& parameter : graph.parameters()) {
    out += fmt::format("{} {} {} {}\n", parameter.is_buffer ? "buffer" : "parameter",
                       quoted(parameter.name), name(parameter.value.dtype()),
                       text(parameter.value.shape()));
  }
  for (const Node& node : graph) out += node_lines(node);
  return out;
}

}  // namespace mase::ir
