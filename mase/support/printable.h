#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Text of files and servers on its way to a terminal.
namespace mase {

// Length in bytes of the UTF-8 character at text[at], 0 if the bytes there are none (overlong
// forms, surrogates and numbers beyond Unicode are none).
std::size_t utf8_length(std::string_view text, std::size_t at);

// The text without what would command a terminal rather than be shown: control characters but line
// breaks and tabs as \x1b, those beyond ASCII and changes of the writing direction as \u009b, bytes
// that are no UTF-8 as \xff.
std::string printable(std::string_view text);

// At most about `most` bytes of a name: the middle of a longer one is left out, which is said.
std::string shortened(std::string_view name, std::size_t most = 200);

// A line of a log or an error as it is shown: printable, with words of more than 1,000 bytes (names
// in files may have millions) and lines of more than 10,000 shortened.
std::string message_text(std::string_view text);

}  // namespace mase
