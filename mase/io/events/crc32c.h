#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mase::io {

// CRC-32C (Castagnoli); 0xe3069283 for "123456789".
std::uint32_t crc32c(std::span<const std::byte> bytes);
// As record files store it, so that a checksum of checksums does not degenerate.
std::uint32_t masked_crc32c(std::span<const std::byte> bytes);

}  // namespace mase::io
