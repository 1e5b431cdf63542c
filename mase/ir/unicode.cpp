// UTF-8 code points and the few classes of them that decide how Python prints a text.
#include "mase/ir/unicode.h"

namespace mase::ir {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u;
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  const int more = first >= 0xf0 && first < 0xf8 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  if (more == 0 || first >= 0xf8) return first;
  char32_t value = first & (0x3fu >> more);
  for (int i = 0; i < more; ++i) {
    const std::size_t next = at + static_cast<std::size_t>(i);
    if (next >= text.size() || !is_continuation(text[next])) return first;
    value = (value << 6) | (static_cast<unsigned char>(text[next]) & 0x3fu);
  }
  at += static_cast<std::size_t>(more);
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
