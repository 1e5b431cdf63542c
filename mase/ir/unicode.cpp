// UTF-8 code points and the few classes of them that decide how Python prints a text.
#include "mase/ir/unicode.h"

#include "mase/support/printable.h"

namespace mase::ir {

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t length = utf8_length(text, at);
  const std::size_t from = at;
  at += length > 0 ? length : 1;
  if (length <= 1) return first;
  char32_t value = first & (0x7fu >> length);
  for (const char next : text.substr(from + 1, length - 1)) {
    value = (value << 6) | (static_cast<unsigned char>(next) & 0x3fu);
  }
  return value;
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) next_code_point(text, at);
  return count;
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
         c == 0x205f || c == 0x3000;
}

bool is_line_end(char32_t c) {
  return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

bool is_printable(char32_t c) {
  if (c == ' ') return true;
  return c > 0x20 && !(c >= 0x7f && c <= 0xa0) && c != 0xad && !is_space(c) &&
         !(c >= 0x200b && c <= 0x200f) && !(c >= 0x202a && c <= 0x202e) &&
         !(c >= 0x2060 && c <= 0x206f) && !(c >= 0xd800 && c <= 0xf8ff) && c != 0xfeff;
}

}  // namespace mase::ir
