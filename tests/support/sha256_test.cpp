#include "mase/support/sha256.h"

#include <gtest/gtest.h>

#include <string_view>

namespace mase {
namespace {

std::string hash_of(std::string_view text) {
  return sha256(std::as_bytes(std::span(text)));
}

// FIPS 180-4 examples.
TEST(Sha256, MatchesThePublishedExamples) {
  EXPECT_EQ(hash_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash_of(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnThePieces) {
  const std::string text(300, 'x');
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 hash;
    hash.add(std::as_bytes(std::span(text).first(cut)));
    hash.add(std::as_bytes(std::span(text).subspan(cut)));
    ASSERT_EQ(hash.finish(), hash_of(text)) << cut;
  }
}

TEST(Sha256, SaysWhichFileIsMissing) {
  const auto hash = sha256_of_file("/nowhere/file");
  ASSERT_FALSE(hash.ok());
  EXPECT_EQ(hash.error().where.file, "/nowhere/file");
}

}  // namespace
}  // namespace mase
