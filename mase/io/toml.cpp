// TOML through toml++, which keeps tables sorted: the order of the file is restored from the source
// positions, because passes run in file order.
#include "mase/io/toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

// Errors are values: a reader never throws.
// The compiled form of the library has exceptions on, so its headers are used alone.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "mase/support/files.h"

namespace mase::io {
namespace {

Location place(const toml::source_region& source, const std::string& file) {
  return {.file = file,
          .line = static_cast<int>(source.begin.line),
          .column = static_cast<int>(source.begin.column)};
}

template <typename T>
std::string streamed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

ir::Value scalar(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    if (text->get() == "NA") return ir::None{};
    return text->get();
  }
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* date = node.as_date()) return streamed(date->get());
  if (const auto* time = node.as_time()) return streamed(time->get());
  if (const auto* moment = node.as_date_time()) return streamed(moment->get());
  return ir::None{};
}

bool before(const Location& a, const Location& b) {
  return a.line != b.line ? a.line < b.line : a.column < b.column;
}

// A table made only by its sub-tables' headers has no position of its own: it stands where its
// first entry does.
void settle(TomlNode& node) {
  std::stable_sort(node.table.begin(), node.table.end(), [](const auto& a, const auto& b) {
    return before(a.second.where, b.second.where);
  });
}

TomlNode convert(const toml::node& node, const std::string& file);

TomlNode convert_table(const toml::table& table, const std::string& file) {
  TomlNode out;
  out.is_table = true;
  out.where = place(table.source(), file);
  for (const auto& [key, value] : table) {
    TomlNode child = convert(value, file);
    // The key's place is better for messages than the value's.
    if (key.source().begin.line > 0) child.where = place(key.source(), file);
    out.table.emplace_back(std::string(key.str()), std::move(child));
  }
  settle(out);
  return out;
}

TomlNode convert_array(const toml::array& array, const std::string& file) {
  TomlNode out;
  out.where = place(array.source(), file);
  ir::List values;
  const bool has_tables =
      std::any_of(array.begin(), array.end(), [](const toml::node& n) { return n.is_table(); });
  for (const toml::node& item : array) {
    TomlNode child = convert(item, file);
    values.push_back(child.to_value());
    out.items.push_back(std::move(child));
  }
  if (!has_tables) out.value = std::move(values);
  return out;
}

TomlNode convert(const toml::node& node, const std::string& file) {
  if (const toml::table* table = node.as_table()) return convert_table(*table, file);
  if (const toml::array* array = node.as_array()) return convert_array(*array, file);
  TomlNode out;
  out.where = place(node.source(), file);
  out.value = scalar(node);
  return out;
}

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-';
  });
}

std::string text_literal(std::string_view text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + "\"";
}

std::string key_text(std::string_view key) {
  return is_bare_key(key) ? std::string(key) : text_literal(key);
}

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return ir::repr(value);
}

std::string inline_text(const ir::Value& value);

std::string list_text(const std::vector<ir::Value>& items) {
  std::string out = "[";
  for (std::size_t i = 0; i < items.size(); ++i) out += (i ? ", " : "") + inline_text(items[i]);
  return out + "]";
}

std::string tensor_text(const ir::Tensor& tensor, std::size_t dim, std::int64_t& next) {
  if (dim == tensor.shape().size()) {
    const double v = tensor.at(next++);
    if (tensor.dtype() == ir::DType::Bool) return v != 0 ? "true" : "false";
    if (is_floating(tensor.dtype())) return number_text(v);
    return fmt::format("{}", static_cast<std::int64_t>(v));
  }
  std::string out = "[";
  for (std::int64_t i = 0; i < tensor.shape()[dim]; ++i) {
    out += (i ? ", " : "") + tensor_text(tensor, dim + 1, next);
  }
  return out + "]";
}

std::string inline_text(const ir::Value& value) {
  if (value.is_none()) return "\"NA\"";
  if (const auto* flag = value.get<bool>()) return *flag ? "true" : "false";
  if (const auto* integer = value.get<std::int64_t>()) return fmt::format("{}", *integer);
  if (const auto* number = value.get<double>()) return number_text(*number);
  if (const auto* text = value.get<std::string>()) return text_literal(*text);
  if (const auto* list = value.get<ir::List>()) return list_text(*list);
  if (const auto* tuple = value.get<ir::Tuple>()) return list_text(tuple->items);
  if (const auto* tensor = value.get<ir::Tensor>()) {
    std::int64_t next = 0;
    return tensor->defined() ? tensor_text(*tensor, 0, next) : "\"NA\"";
  }
  if (const auto* dict = value.get<ir::Dict>()) {
    std::string out = "{";
    for (const auto& [key, item] : *dict) {
      out += fmt::format("{}{} = {}", out.size() > 1 ? ", " : "", key_text(key), inline_text(item));
    }
    return out + "}";
  }
  return text_literal(ir::repr(value));
}

void write_table(const ir::Dict& values, const std::string& prefix, std::string& out) {
  for (const auto& [key, value] : values) {
    if (!value.is<ir::Dict>()) out += fmt::format("{} = {}\n", key_text(key), inline_text(value));
  }
  for (const auto& [key, value] : values) {
    const ir::Dict* table = value.get<ir::Dict>();
    if (!table) continue;
    const std::string path = prefix.empty() ? key_text(key) : prefix + "." + key_text(key);
    out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", path);
    write_table(*table, path, out);
  }
}

}  // namespace

const TomlNode* TomlNode::find(std::string_view key) const {
  for (const auto& [name, node] : table) {
    if (name == key) return &node;
  }
  return nullptr;
}

ir::Value TomlNode::to_value() const {
  if (is_table) {
    ir::Dict out;
    for (const auto& [key, node] : table) out.emplace_back(key, node.to_value());
    return out;
  }
  if (items.empty()) return value;
  ir::List out;
  for (const TomlNode& item : items) out.push_back(item.to_value());
  return out;
}

Result<TomlNode> parse_toml(std::string_view text, const std::string& file_name) {
  const toml::parse_result result = toml::parse(text, file_name);
  if (!result) {
    const toml::parse_error& error = result.error();
    return ReadError{std::string(error.description()), place(error.source(), file_name)};
  }
  return convert_table(result.table(), file_name);
}

Result<TomlNode> read_toml(const std::filesystem::path& path) {
  constexpr std::size_t kLimit = std::size_t{1} << 28;
  Result<std::string> text = read_file(path, kLimit);
  if (!text) return text.error();
  return parse_toml(*text, path.string());
}

std::string write_toml(const ir::Dict& values) {
  std::string out;
  write_table(values, "", out);
  return out;
}

}  // namespace mase::io
