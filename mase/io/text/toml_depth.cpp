// A pass over the characters of a TOML text that knows texts, comments, brackets and the dots of
// keys, and nothing else. Dots outside of texts join keys or stand in numbers and times, which have
// one at most, so a run of many dots between two separators is a key.
#include "mase/io/text/toml_depth.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace mase::io {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Offset of the first character that is too deep.
  std::optional<std::size_t> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '"' || c == '\'') {
        skip_text(c);
      } else {
        take(c);
        if (depth_ + dots_ > kDeepestToml) return at_;
        ++at_;
      }
    }
    return std::nullopt;
  }

 private:
  void take(char c) {
    switch (c) {
      case '.':
        ++dots_;
        break;
      case '[':
      case '{':
        open_.push_back(1 + dots_);
        depth_ += open_.back();
        dots_ = 0;
        break;
      case ']':
      case '}':
        if (!open_.empty()) {
          depth_ -= open_.back();
          open_.pop_back();
        }
        dots_ = 0;
        break;
      case ',':
      case '\n':
        dots_ = 0;
        break;
      default:
        break;
    }
  }

  // Behind the closing quotes, or where a text of one line ends without them.
  void skip_text(char quote) {
    const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
    const bool many_lines = text_.substr(at_).starts_with(triple);
    const std::string_view end = many_lines ? triple : triple.substr(0, 1);
    at_ += end.size();
    while (at_ < text_.size() && !text_.substr(at_).starts_with(end)) {
      if (!many_lines && text_[at_] == '\n') return;
      at_ += quote == '"' && text_[at_] == '\\' ? 2 : 1;
    }
    at_ = std::min(at_ + end.size(), text_.size());
    // Up to two quotes before the closing ones belong to the text.
    for (int i = 0; many_lines && i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<int> open_;  // levels that each open bracket adds: its own and those of its key
  int depth_ = 0;
  int dots_ = 0;  // since the last separator
};

}  // namespace

std::optional<TomlPlace> too_deep(std::string_view text) {
  const auto at = Scanner(text).run();
  if (!at) return std::nullopt;
  const std::string_view before = text.substr(0, *at);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return TomlPlace{1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
                   1 + static_cast<int>(*at - line_start)};
}

}  // namespace mase::io
