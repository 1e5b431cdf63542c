#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mase {

// Lines of at most `width` columns (at least 1): breaks at blanks and after hyphens between
// letters; a longer piece fills the line it starts on and is cut at every `width`. ANSI colours
// take no room, and are ended and begun again at each break. Line breaks in the text are kept,
// empty lines are not.
std::vector<std::string> wrap_text(std::string_view text, std::size_t width);

}  // namespace mase
