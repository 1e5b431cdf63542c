#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "mase/support/result.h"

namespace re2 {
class RE2;
}

namespace mase {

// A regular expression in the notation of Python's `re`, for a whole text. Time grows with the
// length of the text alone, and no pattern takes more than 8 MB: lookahead, lookbehind, references
// to groups and atomic groups are therefore not supported, which the ReadError says.
class Pattern {
 public:
  static Result<Pattern> parse(std::string_view text);

  bool matches(std::string_view whole) const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> machine) : machine_(std::move(machine)) {}

  std::shared_ptr<const re2::RE2> machine_;
};

}  // namespace mase
