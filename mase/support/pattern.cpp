// Regular expressions by RE2, which simulates an automaton: no backtracking, no recursion.
#include "mase/support/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <array>
#include <utility>

#include "mase/support/printable.h"

namespace mase {
namespace {

// What Python's notation has and an automaton cannot do or RE2 does not write so; none of these
// can stand in a pattern that RE2 reads.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kMissing{
    {{"(?=", "lookahead is not supported"},
     {"(?!", "lookahead is not supported: choose names by what they have, not by what they lack"},
     {"(?<=", "lookbehind is not supported"},
     {"(?<!", "lookbehind is not supported"},
     {"(?>", "atomic groups are not supported"},
     {"(?(", "conditions on groups are not supported"},
     {"(?#", "comments are not supported"},
     {"(?P=", "references to groups are not supported"},
     {"\\Z", "write \\z for the end of the text; a pattern is for the whole of it anyway"}}};

std::string reason(std::string_view text, const re2::RE2& machine) {
  for (const auto& [what, why] : kMissing) {
    if (text.find(what) != std::string_view::npos) return std::string(why);
  }
  const std::string& culprit = machine.error_arg();
  if (culprit.size() == 2 && culprit[0] == '\\' && culprit[1] >= '1' && culprit[1] <= '9') {
    return fmt::format("references to groups ({}) are not supported", culprit);
  }
  return shortened(machine.error());
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  auto machine =
      std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (machine->ok()) return Pattern(std::move(machine));
  return ReadError{
      fmt::format("'{}' is no regular expression: {}", shortened(text), reason(text, *machine)),
      {}};
}

bool Pattern::matches(std::string_view whole) const {
  return re2::RE2::FullMatch(re2::StringPiece(whole.data(), whole.size()), *machine_);
}

}  // namespace mase
