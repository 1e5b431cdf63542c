// SHA-256 by libcrypto, which uses the processor's instructions for it.
#include "mase/support/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "mase/support/error.h"
#include "mase/support/files.h"

namespace mase {
namespace {

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    check(context_ ? EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) : 0);
  }
  void add(std::span<const std::byte> bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
  }
  std::string finish() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest, &size));
    std::string out;
    for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
  }

 private:
  static void check(int result) {
    if (result != 1) internal_error("libcrypto has no SHA-256");
  }
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.finish();
}

// In pieces, so that a file of any size takes no memory.
Result<std::string> sha256_file(const std::filesystem::path& path) {
  const Location where{.file = path.string()};
  auto input = open_input(path);
  if (!input) return input.error();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(::fdopen(input->get(), "rb"),
                                                             std::fclose);
  if (!file) return ReadError{fmt::format("cannot be read: {}", std::strerror(errno)), where};
  input->release();
  Digest digest;
  std::vector<std::byte> piece(std::size_t{1} << 18);
  std::size_t got = 0;
  while ((got = std::fread(piece.data(), 1, piece.size(), file.get())) > 0) {
    digest.add(std::span(piece).first(got));
  }
  if (std::ferror(file.get())) {
    return ReadError{fmt::format("cannot be read: {}", std::strerror(errno)), where};
  }
  return digest.finish();
}

}  // namespace mase
