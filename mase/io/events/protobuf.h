#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "mase/io/bytes.h"

// The protobuf wire format, as much of it as event files need.
namespace mase::io::protobuf {

inline void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
inline void put_integer(std::string& out, std::uint32_t field, std::int64_t value) {
  put_varint(out, field << 3);
  put_varint(out, static_cast<std::uint64_t>(value));
}
inline void put_double(std::string& out, std::uint32_t field, double value) {
  put_varint(out, field << 3 | 1);
  put(out, value);
}
inline void put_float(std::string& out, std::uint32_t field, float value) {
  put_varint(out, field << 3 | 5);
  put(out, value);
}
// A text, bytes or an encoded message.
inline void put_bytes(std::string& out, std::uint32_t field, std::string_view value) {
  put_varint(out, field << 3 | 2);
  put_varint(out, value.size());
  out += value;
}

// One field of a message; `number` holds varint and fixed-width values bit for bit.
struct Field {
  std::uint32_t id = 0;
  std::uint32_t wire = 0;  // 0 varint, 1 eight bytes, 2 counted bytes, 5 four bytes
  std::uint64_t number = 0;
  std::span<const std::byte> bytes;
};

std::optional<std::uint64_t> take_varint(Cursor& cursor);
// The next field; nullopt at the end and where the bytes are no message (check at_end()).
std::optional<Field> next_field(Cursor& cursor);

}  // namespace mase::io::protobuf
