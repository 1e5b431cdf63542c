// Makes foreign text harmless and short enough for a terminal. Everything that the program prints
// of a file or a server goes through here: the log, errors, tables and bars call it themselves.
#include "mase/support/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace mase {
namespace {

constexpr std::size_t kLongestWord = 1000;
constexpr std::size_t kLongestLine = 10000;

std::uint32_t code_point(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  std::uint32_t code = character.size() == 1 ? lead : lead & (0x7fu >> character.size());
  for (const char next : character.substr(1)) {
    code = code << 6 | (static_cast<unsigned char>(next) & 0x3fu);
  }
  return code;
}

// Control characters (C0 but tab and line break, DEL, C1), and those that turn the direction of
// what follows, by which a text could pass for another one.
bool is_shown(std::uint32_t code) {
  if (code == '\n' || code == '\t') return true;
  const bool control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
  const bool turns = code == 0x61c || code == 0x200e || code == 0x200f ||
                     (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return !control && !turns;
}

// The largest place up to `at` where a character begins.
std::size_t boundary_before(std::string_view text, std::size_t at) {
  const std::size_t first = at > 3 ? at - 3 : 0;
  for (std::size_t i = at; i > first; --i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0u) != 0x80u) return i;
  }
  return at;
}

// Rules of tables are no names.
bool is_name(std::string_view word) {
  return std::any_of(word.begin(), word.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c >= 0x80; });
}

std::string with_short_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    const std::string_view word = text.substr(0, end);
    out += word.size() > kLongestWord && is_name(word) ? shortened(word) : std::string(word);
    text.remove_prefix(end);
    if (text.empty()) break;
    out += text[0];
    text.remove_prefix(1);
  }
  return out;
}

std::string with_short_lines(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    out += is_name(line) ? shortened(line, kLongestLine) : std::string(line);
    if (end == text.size()) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() - at < length) return 0;
  const std::string_view character = text.substr(at, length);
  for (const char next : character.substr(1)) {
    if ((static_cast<unsigned char>(next) & 0xc0u) != 0x80u) return 0;
  }
  const std::uint32_t code = code_point(character);
  if (length == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return 0;
  if (length == 4 && (code < 0x10000 || code > 0x10ffff)) return 0;
  return length;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const std::string_view character = text.substr(at, std::max<std::size_t>(length, 1));
    const std::uint32_t code = length == 0 ? 0 : code_point(character);
    if (length > 0 && is_shown(code)) {
      out += character;
    } else if (length > 1) {
      out += fmt::format("\\u{:04x}", code);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    }
    at += character.size();
  }
  return out;
}

std::string shortened(std::string_view name, std::size_t most) {
  if (name.size() <= most) return std::string(name);
  const std::size_t head = boundary_before(name, most / 2);
  const std::size_t tail = boundary_before(name, name.size() - most / 4);
  return fmt::format("{}...({} bytes left out)...{}", name.substr(0, head), tail - head,
                     name.substr(tail));
}

std::string message_text(std::string_view text) {
  if (text.size() <= kLongestWord) return printable(text);
  return printable(with_short_lines(with_short_words(text)));
}

}  // namespace mase
