// What a stream can show: terminal or file, width, colours (no-color.org, CLICOLOR_FORCE), UTF-8.
#include "mase/support/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace mase {
namespace {

std::atomic<ColourPolicy> process_policy = ColourPolicy::Auto;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

bool is_forced(const char* name) {
  const std::string_view value = environment(name);
  return !value.empty() && value != "0";
}

bool wants_colour(bool is_terminal, ColourPolicy policy) {
  if (policy != ColourPolicy::Auto) return policy == ColourPolicy::Always;
  if (!environment("NO_COLOR").empty()) return false;
  if (is_forced("FORCE_COLOR") || is_forced("CLICOLOR_FORCE")) return true;
  return is_terminal && environment("TERM") != "dumb";
}

// Who wants no colours wants plain text: what moves is made of escape sequences as well.
bool wants_movement(ColourPolicy policy) {
  if (policy != ColourPolicy::Auto) return policy == ColourPolicy::Always;
  return environment("NO_COLOR").empty();
}

int width_of(int fd, bool is_terminal) {
  const std::string_view columns = environment("COLUMNS");
  int width = 0;
  std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (width > 0) return width;
  winsize size{};
  if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// Length of the ANSI sequence that starts at `at`, 0 if there is none.
std::size_t ansi_length(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size() || text[at] != '\x1b' || text[at + 1] != '[') return 0;
  std::size_t end = at + 2;
  while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) != 0 ||
                               text[end] == ';' || text[end] == '?')) {
    ++end;
  }
  return end < text.size() ? end + 1 - at : 0;
}

}  // namespace

void set_colour_policy(ColourPolicy policy) {
  process_policy = policy;
}

Terminal inspect_terminal(int fd, ColourPolicy policy) {
  if (policy == ColourPolicy::Auto) policy = process_policy;
  const bool is_terminal = isatty(fd) == 1;
  return {.interactive = is_terminal && environment("TERM") != "dumb" && wants_movement(policy),
          .colour = wants_colour(is_terminal, policy),
          .utf8 = locale_is_utf8(),
          .width = width_of(fd, is_terminal)};
}

void print_error_line(std::string_view line) {
  const std::string text = std::string(line) + '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value(environment(name));
    if (value.empty()) continue;
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::string paint(std::string_view text, std::string_view code) {
  std::string out(code);
  out += text;
  out += ansi::kReset;
  return out;
}

std::string without_ansi(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t skip = ansi_length(text, i);
    if (skip == 0) out += text[i];
    i += std::max<std::size_t>(1, skip);
  }
  return out;
}

std::size_t visible_width(std::string_view line) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t skip = ansi_length(line, i);
    // Bytes 10xxxxxx continue a code point.
    if (skip == 0 && (static_cast<unsigned char>(line[i]) & 0xc0) != 0x80) ++width;
    i += std::max<std::size_t>(1, skip);
  }
  return width;
}

}  // namespace mase
