#include "mase/io/arrays/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <filesystem>

#include "mase/support/files.h"
#include "tests/shared_data.h"

namespace mase::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

class IdxTest : public testing::Test {
 protected:
  IdxTest() {
    path_ = testing::TempDir() + "idx_test_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  ~IdxTest() override { std::filesystem::remove(path_); }

  Result<ir::Tensor> read(std::string_view bytes) {
    write_file(path_, bytes);
    return read_idx(path_);
  }
  void write_gzip(std::string_view bytes) {
    const gzFile file = gzopen(path_.c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
  }

  std::string path_;
};

const std::string kBytes = "\0\0\x08\x02\0\0\0\x02\0\0\0\x03\x01\x02\x03\x04\x05\xff"s;

TEST_F(IdxTest, PipesAreNamedAndHugeClaimsRefused) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(read_idx(path_).error().message, HasSubstr("is a pipe"));
  std::filesystem::remove(path_);
  // 2 GB of zeros in 2 MB would be possible.
  write_gzip("\0\0\x08\x01\x80\0\0\0"s);
  std::filesystem::resize_file(path_, 1 << 22);
  EXPECT_THAT(read_idx(path_).error().message, HasSubstr("at most 1073741824 are read"));
}

TEST_F(IdxTest, ReadsBytesPlainAndGzipped) {
  const ir::Tensor plain = read(kBytes).or_throw();
  EXPECT_EQ(plain.shape(), (ir::Shape{2, 3}));
  EXPECT_THAT(plain.values<std::uint8_t>(), ElementsAre(1, 2, 3, 4, 5, 255));
  write_gzip(kBytes);
  EXPECT_TRUE(read_idx(path_).or_throw() == plain);
}

TEST_F(IdxTest, ReadsBigEndianElements) {
  EXPECT_THAT(read("\0\0\x0b\x01\0\0\0\x02\x01\x00\xff\xfe"s).or_throw().values<std::int16_t>(),
              ElementsAre(256, -2));
  EXPECT_THAT(read("\0\0\x0c\x01\0\0\0\x01\0\x01\0\0"s).or_throw().values<std::int32_t>(),
              ElementsAre(65536));
  EXPECT_THAT(read("\0\0\x0d\x01\0\0\0\x01\x3f\x80\0\0"s).or_throw().values<float>(),
              ElementsAre(1.0f));
  EXPECT_THAT(read("\0\0\x0e\x01\0\0\0\x01\x3f\xf0\0\0\0\0\0\0"s).or_throw().values<double>(),
              ElementsAre(1.0));
  EXPECT_THAT(read("\0\0\x09\x01\0\0\0\x01\xff"s).or_throw().values<std::int8_t>(),
              ElementsAre(-1));
}

TEST_F(IdxTest, RefusesWhatDoesNotHoldWhatItSays) {
  EXPECT_EQ(read(kBytes.substr(0, 17)).error().message, "truncated: 5 of 6 bytes");
  EXPECT_EQ(read(kBytes.substr(0, 6)).error().message, "truncated header: 2 of 4 bytes");
  EXPECT_EQ(read("").error().message, "truncated header: 0 of 4 bytes");
  EXPECT_EQ(read(kBytes + "x").error().message, "holds more bytes than its header says");
  EXPECT_EQ(read("\0\0\x0a\x01\0\0\0\x01x"s).error().message, "not an IDX file");
  EXPECT_EQ(read("\0\0\x08\0"s).error().message, "not an IDX file");
  EXPECT_EQ(read("a,b\n1,2\n").error().message, "not an IDX file");
  EXPECT_THAT(read("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s).error().message,
              HasSubstr("claims"));
  EXPECT_THAT(read_idx("/nowhere/x").error().message, HasSubstr("file not found"));
  EXPECT_THAT(read_idx(testing::TempDir()).error().message, HasSubstr("is a folder"));
}

TEST_F(IdxTest, NoticesDamagedGzipData) {
  write_gzip(kBytes + std::string(1000, 'x'));
  std::string bytes = read_file(path_).or_throw();
  const auto error = read(std::string_view(bytes).substr(0, bytes.size() - 9)).error();
  EXPECT_EQ(error.where.file, path_);
  write_gzip(kBytes);
  bytes = read_file(path_).or_throw();
  bytes[bytes.size() - 6] ^= 1;  // the checksum
  EXPECT_THAT(read(bytes).error().message, HasSubstr("damaged gzip data"));
  EXPECT_FALSE(read(std::string_view(bytes).substr(0, bytes.size() - 3)).ok());
}

TEST_F(IdxTest, ReadsMnist) {
  MASE_NEEDS_SHARED_DATA("mnist/t10k-labels-idx1-ubyte.gz");
  const auto images = read_idx(shared_data() / "mnist/t10k-images-idx3-ubyte.gz").or_throw();
  EXPECT_EQ(images.shape(), (ir::Shape{10000, 28, 28}));
  const auto labels = read_idx(shared_data() / "mnist/t10k-labels-idx1-ubyte.gz").or_throw();
  EXPECT_THAT(labels.rows(0, 5).values<std::uint8_t>(), ElementsAre(7, 2, 1, 0, 4));
}

}  // namespace
}  // namespace mase::io
