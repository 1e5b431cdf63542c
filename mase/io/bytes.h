#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mase/ir/tensor.h"
#include "mase/support/files.h"
#include "mase/support/result.h"

// What the readers of foreign bytes share: bytes someone keeps alive, a cursor that cannot leave
// them, and sizes that cannot overflow.
namespace mase::io {

// A file, a buffer, or a part of either; `owner` keeps the bytes alive.
using Bytes = FileBytes;

Bytes own(std::string buffer);
std::string_view text_of(std::span<const std::byte> bytes);
std::span<const std::byte> bytes_of(std::string_view text);
bool is_utf8(std::string_view text);
// Appends the character with this number; false, and nothing appended, where Unicode has none.
bool append_utf8(std::uint64_t code, std::string& out);
// The text with U+FFFD for each byte that is no UTF-8, for formats that can hold nothing else:
// names of files may be any bytes.
std::string as_utf8(std::string_view text);

// Reads little-endian numbers in order. Every read past the end is nullopt and moves nothing.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

  std::size_t position() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }
  bool at_end() const { return left() == 0; }

  std::optional<std::span<const std::byte>> take(std::uint64_t count) {
    if (count > left()) return std::nullopt;
    const auto out = bytes_.subspan(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return out;
  }

  template <typename T>
  std::optional<T> number() {
    const auto raw = take(sizeof(T));
    if (!raw) return std::nullopt;
    T value;
    std::memcpy(&value, raw->data(), sizeof value);
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_;
};

// Appends a number little-endian (the library is built for little-endian machines only).
template <typename T>
void put(std::string& out, T value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  out.append(raw, sizeof value);
}

// Bytes of a dense array of this shape, or nullopt if a dimension is negative, there are more than
// 64 of them, or the size overflows (zero dimensions do not hide an overflow).
std::optional<std::uint64_t> dense_bytes(const ir::Shape& shape, std::size_t element_size);

// A tensor with its own copy of the bytes; exactly dense_bytes(shape) of them.
ir::Tensor copy_tensor(const ir::Shape& shape, ir::DType type, std::span<const std::byte> bytes);
// Makes every nonzero byte of a bool tensor 1: other values are no bool to the machine.
void normalise_bools(ir::Tensor& tensor);

}  // namespace mase::io
