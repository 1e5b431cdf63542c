#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// What Python's repr and pprint need to know of UTF-8 text.
namespace mase::ir {

// The code point at text[at], which moves on behind it. A byte that is no UTF-8 (of surrogates and
// overlong forms, too) stands for itself.
char32_t next_code_point(std::string_view text, std::size_t& at);
std::size_t code_points(std::string_view text);  // length as Python counts it
bool is_space(char32_t c);                       // str.isspace()
bool is_line_end(char32_t c);                    // where str.splitlines() cuts
bool is_printable(char32_t c);                   // others are escaped in repr()

}  // namespace mase::ir
