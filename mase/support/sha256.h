#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "mase/support/result.h"

namespace mase {

// SHA-256 (FIPS 180-4) as 64 hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace mase
