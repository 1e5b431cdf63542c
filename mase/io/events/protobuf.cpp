// Reading the protobuf wire format.
#include "mase/io/events/protobuf.h"

namespace mase::io::protobuf {

std::optional<std::uint64_t> take_varint(Cursor& cursor) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = cursor.number<std::uint8_t>();
    if (!byte) return std::nullopt;
    value |= static_cast<std::uint64_t>(*byte & 0x7fu) << shift;
    if ((*byte & 0x80u) == 0) return value;
  }
  return std::nullopt;
}

std::optional<Field> next_field(Cursor& cursor) {
  if (cursor.at_end()) return std::nullopt;
  const auto key = take_varint(cursor);
  if (!key || *key >> 35 != 0) return std::nullopt;
  Field out{.id = static_cast<std::uint32_t>(*key >> 3),
            .wire = static_cast<std::uint32_t>(*key & 7)};
  switch (out.wire) {
    case 0: {
      const auto value = take_varint(cursor);
      if (!value) return std::nullopt;
      out.number = *value;
      return out;
    }
    case 1: {
      const auto value = cursor.number<std::uint64_t>();
      if (!value) return std::nullopt;
      out.number = *value;
      return out;
    }
    case 2: {
      const auto length = take_varint(cursor);
      const auto bytes = length ? cursor.take(*length) : std::nullopt;
      if (!bytes) return std::nullopt;
      out.bytes = *bytes;
      return out;
    }
    case 5: {
      const auto value = cursor.number<std::uint32_t>();
      if (!value) return std::nullopt;
      out.number = *value;
      return out;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace mase::io::protobuf
