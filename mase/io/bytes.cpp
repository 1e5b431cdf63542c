// Byte views and overflow-checked sizes for the readers.
#include "mase/io/bytes.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <utility>

namespace mase::io {

static_assert(std::endian::native == std::endian::little, "the formats here are little-endian");

Bytes own(std::string buffer) {
  auto kept = std::make_shared<const std::string>(std::move(buffer));
  return {bytes_of(*kept), kept};
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int more = lead < 0x80   ? 0
                     : lead < 0xc2 ? -1
                     : lead < 0xe0 ? 1
                     : lead < 0xf0 ? 2
                     : lead < 0xf5 ? 3
                                   : -1;
    if (more < 0 || text.size() - i <= static_cast<std::size_t>(more)) return false;
    std::uint32_t code = more == 0 ? lead : lead & (0x3fu >> more);
    for (int k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      if ((next & 0xc0u) != 0x80u) return false;
      code = code << 6 | (next & 0x3fu);
    }
    // Overlong forms, surrogates, beyond Unicode.
    if (more == 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return false;
    if (more == 3 && (code < 0x10000 || code > 0x10ffff)) return false;
    i += static_cast<std::size_t>(more) + 1;
  }
  return true;
}

bool append_utf8(std::uint64_t code, std::string& out) {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr std::uint64_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(kLead[more] | code >> (6 * more));
  for (int k = more - 1; k >= 0; --k) {
    out += static_cast<char>(0x80 | (code >> (6 * k) & 0x3f));
  }
  return true;
}

std::string as_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min<std::size_t>(4, text.size());
    while (size > 0 && !is_utf8(text.substr(0, size))) --size;
    out += size > 0 ? text.substr(0, size) : "\xef\xbf\xbd";
    text.remove_prefix(std::max<std::size_t>(1, size));
  }
  return out;
}

std::optional<std::uint64_t> dense_bytes(const ir::Shape& shape, std::size_t element_size) {
  constexpr std::size_t kMaxDimensions = 64;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (shape.size() > kMaxDimensions) return std::nullopt;
  std::uint64_t size = element_size;
  bool empty = false;
  for (const std::int64_t d : shape) {
    if (d < 0) return std::nullopt;
    empty = empty || d == 0;
    const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(d, 1));
    if (size > kMax / factor) return std::nullopt;
    size *= factor;
  }
  return empty ? 0 : size;
}

ir::Tensor copy_tensor(const ir::Shape& shape, ir::DType type, std::span<const std::byte> bytes) {
  ir::Tensor out(shape, type);
  if (!bytes.empty()) std::memcpy(out.data_mut(), bytes.data(), bytes.size());
  normalise_bools(out);
  return out;
}

void normalise_bools(ir::Tensor& tensor) {
  if (tensor.dtype() != ir::DType::Bool) return;
  std::byte* at = tensor.data_mut();
  for (std::size_t i = 0; i < tensor.bytes(); ++i) at[i] = std::byte{at[i] != std::byte{0}};
}

}  // namespace mase::io
