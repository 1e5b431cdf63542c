// SHA-256 by libcrypto, which uses the processor's instructions for it.
#include "mase/support/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "mase/support/error.h"
#include "mase/support/files.h"

namespace mase {

std::string sha256(std::span<const std::byte> bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) {
    internal_error("libcrypto has no SHA-256");
  }
  std::string out;
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

Result<std::string> sha256_file(const std::filesystem::path& path) {
  const auto file = map_file(path);
  if (!file) return file.error();
  return sha256(file->bytes);
}

}  // namespace mase
