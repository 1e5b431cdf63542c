#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "mase/support/result.h"

namespace mase {

// SHA-256 (FIPS 180-4) of bytes that arrive in pieces.
class Sha256 {
 public:
  void add(std::span<const std::byte> bytes);
  // Lower-case hexadecimal, 64 characters. Ends the message: call once.
  std::string finish();

 private:
  void block(const std::uint8_t* bytes);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> rest_ = {};
  std::size_t in_rest_ = 0;
  std::uint64_t length_ = 0;
};

std::string sha256(std::span<const std::byte> bytes);
Result<std::string> sha256_of_file(const std::filesystem::path& path);

}  // namespace mase
