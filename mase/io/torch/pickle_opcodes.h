#pragma once

#include <cstdint>
#include <string_view>

namespace mase::io {

// "BINUNICODE" for 'X'; empty for a byte that is no opcode.
std::string_view opcode_name(std::uint8_t code);

}  // namespace mase::io
