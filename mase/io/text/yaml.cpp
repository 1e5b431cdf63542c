// Block YAML 1.1 as PyYAML writes it.
#include "mase/io/text/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "mase/io/bytes.h"
#include "mase/support/pattern.h"

namespace mase::io {
namespace {

using ir::Dict;
using ir::Value;

// Plain texts that YAML 1.1 resolves to something else (PyYAML's implicit resolvers).
bool resolves(const std::string& text) {
  constexpr std::string_view kPattern =
      "~|null|Null|NULL|<<|=|"
      "yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|"
      "[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|"
      "[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+|"
      "[-+]?[0-9][0-9_]*\\.[0-9_]*([eE][-+][0-9]+)?|\\.[0-9][0-9_]*([eE][-+][0-9]+)?|"
      "[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\\.[0-9_]*|[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)|"
      "[0-9]{4}-[0-9]{2}-[0-9]{2}|"
      "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \\t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\\.[0-9]*)?"
      "([ \\t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?";
  static const Pattern pattern = Pattern::parse(kPattern).or_throw();
  return pattern.matches(text);
}

bool needs_escapes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u >= 0x7f;
  });
}

bool is_plain(const std::string& text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || resolves(text)) return false;
  if (std::string_view("#,[]{}&*!|>'\"%@`").find(text.front()) != std::string_view::npos)
    return false;
  if (std::string_view("?-:").find(text.front()) != std::string_view::npos &&
      (text.size() == 1 || text[1] == ' ')) {
    return false;
  }
  if (text.starts_with("---") || text.starts_with("...")) return false;
  return text.back() != ':' && text.find(": ") == std::string::npos &&
         text.find(" #") == std::string::npos;
}

// How many bytes the character at the start of `text` takes (it is UTF-8) if it may not stand in a
// stream as it is: one that is not printable in the sense of YAML, or a line break. Else 0.
std::size_t forbidden(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  if (byte(0) < 0x20 || byte(0) == 0x7f) return 1;
  if (byte(0) == 0xc2 && byte(1) < 0xa0) return 2;  // U+0080 to U+009f
  if (byte(0) == 0xe2 && byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9)) return 3;
  const bool last = byte(1) == 0xbf && byte(2) >= 0xbe;  // U+fffe, U+ffff
  return byte(0) == 0xef && (last || (byte(1) == 0xbb && byte(2) == 0xbf)) ? 3 : 0;
}

std::string escape(std::string_view character) {
  if (character == "\n") return "\\n";
  if (character == "\t") return "\\t";
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]) & 0x3fu; };
  if (character.size() == 1)
    return fmt::format("\\x{:02X}", static_cast<unsigned char>(character[0]));
  if (character.size() == 2) return fmt::format("\\x{:02X}", 0x80u | byte(1));
  const unsigned high = static_cast<unsigned char>(character[0]) & 0x0fu;
  return fmt::format("\\u{:04X}", high << 12 | byte(1) << 6 | byte(2));
}

// YAML streams are UTF-8: bytes that are none (names of files may be any) become U+fffd.
std::string scalar(const std::string& bytes) {
  const std::string text = as_utf8(bytes);
  if (needs_escapes(text)) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t size = forbidden(std::string_view(text).substr(i));
      if (size > 0) {
        out += escape(std::string_view(text).substr(i, size));
      } else {
        if (text[i] == '"' || text[i] == '\\') out += '\\';
        out += text[i];
      }
      i += std::max<std::size_t>(size, 1);
    }
    return out + "\"";
  }
  if (is_plain(text)) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string number(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::string out = ir::repr(value);
  // YAML 1.1 takes 1e-05 for a text.
  if (out.find('.') == std::string::npos) {
    if (const std::size_t e = out.find('e'); e != std::string::npos) out.insert(e, ".0");
  }
  return out;
}

const ir::List* items_of(const Value& value) {
  if (const auto* tuple = value.get<ir::Tuple>()) return &tuple->items;
  return value.get<ir::List>();
}

void write_dict(const Dict& values, int indent, bool first_inline, std::string& out);

// What comes after "key:" or "-": a scalar on the same line or a block below.
void write_value(const Value& value, int indent, bool in_list, std::string& out) {
  if (const auto* dict = value.get<Dict>(); dict && !dict->empty()) {
    out += in_list ? " " : "\n";
    write_dict(*dict, indent + 2, in_list, out);
    return;
  }
  if (const ir::List* items = items_of(value); items && !items->empty()) {
    // Lists in dictionaries stand under their key, lists in lists start on the same line.
    const int inner = in_list ? indent + 2 : indent;
    bool same_line = in_list;
    out += in_list ? " " : "\n";
    for (const Value& item : *items) {
      out += fmt::format("{:{}}-", "", same_line ? 0 : inner);
      same_line = false;
      write_value(item, inner, true, out);
    }
    return;
  }
  out += ' ';
  if (value.is_none()) {
    out += "null";
  } else if (const auto* flag = value.get<bool>()) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = value.get<std::int64_t>()) {
    out += fmt::format("{}", *integer);
  } else if (const auto* real = value.get<double>()) {
    out += number(*real);
  } else if (value.is<Dict>()) {
    out += "{}";
  } else if (items_of(value)) {
    out += "[]";
  } else if (const auto* text = value.get<std::string>()) {
    out += scalar(*text);
  } else {
    out += scalar(ir::repr(value));
  }
  out += '\n';
}

void write_dict(const Dict& values, int indent, bool first_inline, std::string& out) {
  std::vector<const std::pair<std::string, Value>*> sorted;
  for (const auto& entry : values) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->first < b->first; });
  for (const auto* entry : sorted) {
    out += fmt::format("{:{}}{}:", "", first_inline ? 0 : indent, scalar(entry->first));
    first_inline = false;
    write_value(entry->second, indent, false, out);
  }
}

}  // namespace

std::string write_yaml(const Dict& values) {
  if (values.empty()) return "{}\n";
  std::string out;
  write_dict(values, 0, false, out);
  return out;
}

}  // namespace mase::io
