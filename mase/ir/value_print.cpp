// Values as Python prints them: repr() and pprint.pformat(indent=1, sort_dicts=True).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "mase/ir/unicode.h"
#include "mase/ir/value.h"

namespace mase::ir {
namespace {

void append_escaped(std::string& out, char32_t c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c <= 0xff) {
    out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c));
  } else if (c <= 0xffff) {
    out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
  } else {
    out += fmt::format("\\U{:08x}", static_cast<std::uint32_t>(c));
  }
}

std::string python_quoted(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    const char32_t c = next_code_point(text, at);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += '\\';
      out += text[from];
    } else if (is_printable(c)) {
      out += text.substr(from, at - from);
    } else {
      append_escaped(out, c);
    }
  }
  return out + quote;
}

// The entries of a dictionary in the order of their keys. Bytes of UTF-8 sort as code points do.
std::vector<const std::pair<std::string, Value>*> by_key(const Dict& dict) {
  std::vector<const std::pair<std::string, Value>*> out;
  for (const auto& entry : dict) out.push_back(&entry);
  std::stable_sort(out.begin(), out.end(),
                   [](const auto* a, const auto* b) { return a->first < b->first; });
  return out;
}

std::string text_of(const Value& value, bool sorted);

std::string joined(const std::vector<Value>& items, bool sorted) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) out += (i ? ", " : "") + text_of(items[i], sorted);
  return out;
}

std::string entry_text(const std::string& key, const Value& value, bool sorted) {
  return fmt::format("{}: {}", python_quoted(key), text_of(value, sorted));
}

// repr(), with dictionaries in the order of their keys if `sorted`.
std::string text_of(const Value& value, bool sorted) {
  struct Visitor {
    bool sorted;
    std::string operator()(const None&) const { return "None"; }
    std::string operator()(bool v) const { return v ? "True" : "False"; }
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return repr(v); }
    std::string operator()(const std::string& v) const { return python_quoted(v); }
    std::string operator()(const NodeRef& v) const { return v.name; }
    std::string operator()(const TypeName& v) const { return v.name; }
    std::string operator()(DType v) const { return fmt::format("torch.{}", name(v)); }
    std::string operator()(const Tuple& v) const {
      return fmt::format("({}{})", joined(v.items, sorted), v.items.size() == 1 ? "," : "");
    }
    std::string operator()(const List& v) const { return fmt::format("[{}]", joined(v, sorted)); }
    std::string operator()(const Dict& v) const {
      std::string out = "{";
      const auto add = [&](const std::string& key, const Value& item) {
        out += fmt::format("{}{}", out.size() > 1 ? ", " : "", entry_text(key, item, sorted));
      };
      if (sorted) {
        for (const auto* entry : by_key(v)) add(entry->first, entry->second);
      } else {
        for (const auto& [key, item] : v) add(key, item);
      }
      return out + "}";
    }
    std::string operator()(const Tensor& v) const { return print_tensor(v); }
  };
  return std::visit(Visitor{sorted}, value.variant());
}

// Python's pprint, step by step: a value that does not fit between `indent` and the right margin
// less `allowance` (closing brackets to come) is opened, one item per line.
class PrettyPrinter {
 public:
  explicit PrettyPrinter(int width) : width_(width) {}

  std::string print(const Value& value) {
    format(value, 0, 0, 0);
    return std::move(out_);
  }

 private:
  void format(const Value& value, int indent, int allowance, int level) {
    const std::string text = text_of(value, true);
    if (static_cast<int>(code_points(text)) > width_ - indent - allowance) {
      if (const auto* dict = value.get<Dict>()) return open(*dict, indent, allowance, level);
      if (const auto* list = value.get<List>()) {
        return open(*list, '[', "]", indent, allowance, level);
      }
      if (const auto* tuple = value.get<Tuple>()) {
        return open(tuple->items, '(', tuple->items.size() == 1 ? ",)" : ")", indent, allowance,
                    level);
      }
      const auto* words = value.get<std::string>();
      if (words && !words->empty()) return open(*words, indent, allowance, level);
    }
    out_ += text;
  }

  void new_line(int indent) {
    out_ += '\n';
    out_.append(static_cast<std::size_t>(std::max(indent, 0)), ' ');
  }

  void open(const Dict& dict, int indent, int allowance, int level) {
    out_ += '{';
    const auto entries = by_key(dict);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const bool last = i + 1 == entries.size();
      const std::string key = python_quoted(entries[i]->first);
      out_ += key + ": ";
      const int column = indent + 1 + static_cast<int>(code_points(key)) + 2;
      format(entries[i]->second, column, last ? allowance + 1 : 1, level + 1);
      if (last) break;
      out_ += ',';
      new_line(indent + 1);
    }
    out_ += '}';
  }

  void open(const std::vector<Value>& items, char begin, std::string_view end, int indent,
            int allowance, int level) {
    out_ += begin;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const bool last = i + 1 == items.size();
      const int closing = allowance + static_cast<int>(end.size());
      format(items[i], indent + 1, last ? closing : 1, level + 1);
      if (last) break;
      out_ += ',';
      new_line(indent + 1);
    }
    out_ += end;
  }

  // A long text becomes adjacent literals, cut after line ends and, within a line, after words.
  void open(const std::string& text, int indent, int allowance, int level) {
    if (level == 0) {
      ++indent;
      ++allowance;
    }
    const std::vector<std::string> chunks = cut(text, width_ - indent, allowance);
    const bool brackets = level == 0 && chunks.size() > 1;
    if (brackets) out_ += '(';
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      if (i > 0) new_line(indent);
      out_ += chunks[i];
    }
    if (brackets) out_ += ')';
  }

  static int length(std::string_view text) {
    return static_cast<int>(code_points(python_quoted(text)));
  }

  static std::vector<std::string> cut(std::string_view text, int room, int allowance) {
    std::vector<std::string> chunks;
    const std::vector<std::string_view> lines = pieces(text, [](char32_t c, char32_t next) {
      return is_line_end(c) && !(c == '\r' && next == '\n');
    });
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool last_line = i + 1 == lines.size();
      if (length(lines[i]) <= room - (last_line ? allowance : 0)) {
        chunks.push_back(python_quoted(lines[i]));
        continue;
      }
      const std::vector<std::string_view> words = pieces(
          lines[i], [](char32_t c, char32_t next) { return is_space(c) && !is_space(next); });
      std::string current;
      for (std::size_t j = 0; j < words.size(); ++j) {
        const int closing = last_line && j + 1 == words.size() ? allowance : 0;
        const std::string candidate = current + std::string(words[j]);
        if (length(candidate) <= room - closing) {
          current = candidate;
          continue;
        }
        if (!current.empty()) chunks.push_back(python_quoted(current));
        current = words[j];
      }
      if (!current.empty()) chunks.push_back(python_quoted(current));
    }
    return chunks;
  }

  // The text cut behind each code point for which `ends(it, the next)` holds.
  template <typename Ends>
  static std::vector<std::string_view> pieces(std::string_view text, Ends&& ends) {
    std::vector<std::string_view> out;
    std::size_t from = 0;
    for (std::size_t at = 0; at < text.size();) {
      const char32_t c = next_code_point(text, at);
      std::size_t ahead = at;
      const char32_t next = at < text.size() ? next_code_point(text, ahead) : 0;
      if (at < text.size() && !ends(c, next)) continue;
      out.push_back(text.substr(from, at - from));
      from = at;
    }
    return out;
  }

  int width_;
  std::string out_;
};

}  // namespace

std::string repr(const Value& value) {
  return text_of(value, false);
}

std::string pretty(const Value& value, int width) {
  return PrettyPrinter(width).print(value);
}

}  // namespace mase::ir
