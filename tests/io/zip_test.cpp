#include "mase/io/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/io/bounds.h"
#include "tests/io/damage.h"
#include "tests/io/deflated.h"

namespace mase::io {
namespace {

using testing::HasSubstr;
using tests::deflated_archive;

Result<ZipReader> parse(std::string_view archive) {
  return ZipReader::parse(own(std::string(archive)), "test.zip");
}

std::string small_archive(ZipOptions options = {}) {
  ZipWriter zip(options);
  zip.add("a.txt", "alpha");
  zip.add("folder/b", "");
  zip.add("c", std::string(300, 'c'));
  return zip.to_string();
}

TEST(Zip, UnpacksNoMoreThanIsAskedFor) {
  constexpr std::uint32_t kSize = 1u << 26;  // zeros, in 64 kB
  const ZipReader zip = parse(deflated_archive(std::string(kSize, '\0'), kSize)).or_throw();
  const ZipEntry* entry = zip.find("x");
  ASSERT_NE(entry, nullptr);
  EXPECT_TRUE(tests::runs_within(std::size_t{24} << 20, [&] {
    const auto first = zip.start(*entry, 1000);
    return first.ok() && first->bytes.size() == 1000 && !zip.read(*entry, 1000).ok() &&
           !zip.read("x", honest_size(*entry)).ok();
  }));
  EXPECT_THAT(zip.read(*entry, 1000).error().message, HasSubstr("at most 1000 are read"));
  EXPECT_EQ(zip.read(*entry).value().bytes.size(), kSize);
  EXPECT_EQ(zip.start(*entry, std::uint64_t{1} << 30).value().bytes.size(), kSize);
}

void check_small(const ZipReader& zip) {
  ASSERT_EQ(zip.entries().size(), 3u);
  EXPECT_EQ(text_of(zip.read("a.txt").value().bytes), "alpha");
  EXPECT_EQ(text_of(zip.read("folder/b").value().bytes), "");
  EXPECT_EQ(text_of(zip.read("c").value().bytes), std::string(300, 'c'));
}

TEST(Zip, ReadsBackWhatItWrites) {
  const auto zip = parse(small_archive());
  ASSERT_TRUE(zip.ok()) << zip.error().message;
  check_small(*zip);
  for (const ZipEntry& entry : zip->entries()) EXPECT_EQ(entry.data_offset % 64, 0u) << entry.name;
  const auto missing = zip->read("nowhere");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("no 'nowhere'"));
}

TEST(Zip, Zip64RecordsGoBothWays) {
  for (const std::uint64_t from : {1, 5, 100, 400}) {
    const auto zip = parse(small_archive({.zip64_from = from}));
    ASSERT_TRUE(zip.ok()) << from << ": " << zip.error().message;
    check_small(*zip);
  }
}

TEST(Zip, EmptyArchive) {
  const auto zip = parse(ZipWriter().to_string());
  ASSERT_TRUE(zip.ok());
  EXPECT_TRUE(zip->entries().empty());
}

TEST(Zip, UnpacksDeflatedMembers) {
  const std::string content(100'000, 'z');
  const auto zip = parse(deflated_archive(content, 100'000));
  ASSERT_TRUE(zip.ok()) << zip.error().message;
  EXPECT_EQ(text_of(zip->read("x").value().bytes), content);
}

TEST(Zip, FalseSizesOfDeflatedMembersAreErrors) {
  const std::string content(1000, 'z');
  for (const std::uint32_t claimed : {0u, 1u, 999u, 1001u, 10'000u}) {
    const auto zip = parse(deflated_archive(content, claimed));
    ASSERT_TRUE(zip.ok());
    EXPECT_FALSE(zip->read("x").ok()) << claimed;
  }
  const auto bomb = parse(deflated_archive(content, 0xfffffff0u));
  ASSERT_TRUE(bomb.ok());
  EXPECT_THAT(bomb->read("x").error().message, HasSubstr("claims more bytes"));
}

TEST(Zip, ChangedBytesAreNoticed) {
  std::string archive = small_archive();
  archive[archive.find("alpha")] = 'A';
  const auto zip = parse(archive);
  ASSERT_TRUE(zip.ok());
  EXPECT_THAT(zip->read("a.txt").error().message, HasSubstr("checksum"));
}

TEST(Zip, OverlappingMembersAreRefused) {
  ZipWriter writer({.alignment = 1});
  writer.add("a", "same");
  writer.add("b", "same");
  std::string archive = writer.to_string();
  // Point the second directory entry at the first member.
  const std::size_t second = archive.rfind("PK\x01\x02");
  const std::uint32_t zero = 0;
  std::memcpy(&archive[second + 42], &zero, 4);
  const auto zip = parse(archive);
  ASSERT_FALSE(zip.ok());
  EXPECT_THAT(zip.error().message, HasSubstr("overlap"));
}

TEST(Zip, EveryTruncationIsAnError) {
  tests::for_each_truncation(small_archive(), [](std::span<const std::byte> bytes) {
    EXPECT_FALSE(ZipReader::parse({bytes, nullptr}, "cut.zip").ok()) << bytes.size();
  });
}

TEST(Zip, NoBitFlipEscapesTheBounds) {
  for (const std::string& archive :
       {small_archive(), small_archive({.zip64_from = 1}), deflated_archive("hello hello", 11)}) {
    tests::for_each_bit_flip(archive, [](std::span<const std::byte> bytes) {
      const auto zip = ZipReader::parse({bytes, nullptr}, "flip.zip");
      if (!zip) return;
      std::size_t total = 0;
      for (const ZipEntry& entry : zip->entries()) {
        const auto member = zip->read(entry);
        if (member) total += member->bytes.size();
      }
      EXPECT_LE(total, bytes.size());
    });
  }
}

}  // namespace
}  // namespace mase::io
