#include "mase/support/sha256.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string_view>

#include "mase/support/files.h"

namespace mase {
namespace {

std::string digest(std::string_view text) {
  return sha256({reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

TEST(Sha256, AgreesWithTheStandardsExamples) {
  EXPECT_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, OfAFile) {
  const auto path = std::filesystem::path(testing::TempDir()) / "sha256_abc";
  write_file(path, "abc");
  EXPECT_EQ(sha256_file(path).value(), digest("abc"));
  std::filesystem::remove(path);
  EXPECT_FALSE(sha256_file(path).ok());
}

}  // namespace
}  // namespace mase
