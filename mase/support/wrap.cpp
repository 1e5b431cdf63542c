// Greedy line filling, with the break rules of Python's textwrap.
#include "mase/support/wrap.h"

#include <algorithm>
#include <cctype>
#include <deque>

#include "mase/support/terminal.h"

namespace mase {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}
bool is_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalpha(byte) != 0 || c == '_' || byte >= 0x80;
}

bool is_word(char c) {
  return is_letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("!\"'&.,?").find(c) != std::string_view::npos;
}

bool may_break_after(std::string_view word, std::size_t hyphen) {
  if (word[hyphen] != '-') return false;
  const auto letter = [&](std::size_t i) { return i < word.size() && is_letter(word[i]); };
  const bool after_two_letters = hyphen >= 2 && letter(hyphen - 1) && letter(hyphen - 2);
  const bool after_short_part = hyphen >= 3 && is_word(word[hyphen - 1]) &&  // "a-1-"
                                word[hyphen - 2] == '-' && letter(hyphen - 3);
  const bool before = after_two_letters || after_short_part;
  const bool hyphen_follows = hyphen + 2 < word.size() && word[hyphen + 2] == '-';
  const bool after =
      letter(hyphen + 1) && (letter(hyphen + 2) || (hyphen_follows && letter(hyphen + 3)));
  return before && after;
}

// Runs of blanks, and words cut after their hyphens.
std::deque<std::string> pieces_of(std::string_view line) {
  std::deque<std::string> pieces;
  for (std::size_t i = 0; i < line.size();) {
    const bool blank = is_blank(line[i]);
    std::size_t end = i;
    while (end < line.size() && is_blank(line[end]) == blank) ++end;
    const std::string_view word = line.substr(i, end - i);
    std::size_t begin = 0;
    for (std::size_t k = 0; !blank && k < word.size(); ++k) {
      if (!may_break_after(word, k)) continue;
      pieces.emplace_back(word.substr(begin, k + 1 - begin));
      begin = k + 1;
    }
    pieces.emplace_back(word.substr(begin));
    i = end;
  }
  return pieces;
}

// Bytes of `text` that fill `columns`; ANSI sequences and the rest of a code point stay whole.
std::size_t bytes_of_columns(std::string_view text, std::size_t columns) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (text.substr(i).starts_with("\x1b[")) {
      end = std::min(text.find('m', i), text.size() - 1) + 1;
    } else {
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
      if (++taken > columns) return i;
    }
    i = end;
  }
  return text.size();
}

// Ends colours at the end of each line and begins them again on the next.
void carry_colours(std::vector<std::string>& lines) {
  std::string active;
  for (std::string& line : lines) {
    std::string next = active;
    for (std::size_t i = line.find("\x1b["); i != std::string::npos;
         i = line.find("\x1b[", i + 1)) {
      const std::size_t end = line.find('m', i);
      if (end == std::string::npos) break;
      const std::string code = line.substr(i, end + 1 - i);
      if (code == ansi::kReset) {
        next.clear();
      } else {
        next += code;
      }
    }
    line.insert(0, active);
    if (!next.empty()) line += ansi::kReset;
    active = next;
  }
}

std::vector<std::string> wrap_line(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::deque<std::string> pieces = pieces_of(text);
  while (!pieces.empty()) {
    if (!lines.empty() && is_blank(pieces.front()[0])) pieces.pop_front();
    std::string line;
    bool ends_blank = false;
    std::size_t last = 0;
    while (!pieces.empty() && visible_width(line) + visible_width(pieces.front()) <= width) {
      last = line.size();
      ends_blank = is_blank(pieces.front()[0]);
      line += pieces.front();
      pieces.pop_front();
    }
    if (!pieces.empty() && visible_width(pieces.front()) > width) {
      const std::size_t room = width - visible_width(line);
      const std::size_t cut = bytes_of_columns(pieces.front(), room);
      if (cut > 0) ends_blank = false;
      line += pieces.front().substr(0, cut);
      pieces.front().erase(0, cut);
    }
    if (ends_blank) line.resize(last);
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::vector<std::string> wrap_text(std::string_view text, std::size_t width) {
  width = std::max<std::size_t>(1, width);
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    for (std::string& line : wrap_line(text.substr(0, end), width))
      lines.push_back(std::move(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  carry_colours(lines);
  return lines;
}

}  // namespace mase
