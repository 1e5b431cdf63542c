#include "mase/io/tables/table_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "mase/io/bytes.h"

namespace mase::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Memory : public FrameSource {
 public:
  explicit Memory(std::string bytes) : bytes_(std::move(bytes)) {}

  bool receive(std::span<std::byte> to) override {
    if (to.size() > bytes_.size() - at_) return false;
    const auto from = bytes_of(bytes_).subspan(at_, to.size());
    std::copy(from.begin(), from.end(), to.begin());
    at_ += to.size();
    return true;
  }
  std::string failure() const override { return "no more comes"; }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

std::string frame(FrameKind kind, const std::string& content) {
  std::string out;
  put(out, Frame{kind, content.size()});
  return out + content;
}

std::string rows(std::int64_t first, const std::vector<double>& values) {
  std::string content;
  put(content, first);
  for (const double value : values) put(content, value);
  return frame(FrameKind::Rows, content);
}

const std::string kDone = frame(FrameKind::Done, "");

// What becomes of the rows of two columns: how many arrive, or the error.
std::string read(const std::string& bytes, std::int64_t expected = 3) {
  Memory source(bytes);
  std::int64_t count = 0;
  const auto status = receive_rows(source, "file.h5", 2, expected,
                                   [&](std::int64_t first, std::span<const double> values) {
                                     EXPECT_EQ(first, count);
                                     count += static_cast<std::int64_t>(values.size() / 2);
                                     return Status(std::monostate{});
                                   });
  if (status.ok()) return std::to_string(count);
  EXPECT_EQ(status.error().where.file, "file.h5");
  return status.error().message;
}

std::string describe(const std::string& bytes) {
  Memory source(bytes);
  const auto description = receive_description(source, "file.h5");
  return description.ok() ? "a table" : description.error().message;
}

TEST(TableFrames, ADescriptionArrives) {
  const TableDescription sent{.rows = 7, .columns = {"a", "", "c\n"}};
  Memory source(frame(FrameKind::Description, pack(sent)));
  const auto got = receive_description(source, "file.h5");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->rows, 7);
  EXPECT_THAT(got->columns, ElementsAre("a", "", "c\n"));
}

TEST(TableFrames, AnErrorArrivesWithItsLine) {
  Memory source(frame(FrameKind::Error, pack(ReadError{"no such luck", {.line = 3}})));
  const auto got = receive_description(source, "file.h5");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().message, "no such luck");
  EXPECT_EQ(got.error().where.text(), "file.h5:3");
}

TEST(TableFrames, DamagedDescriptionsAreRefused) {
  const std::string good = pack(TableDescription{.rows = 7, .columns = {"a", "b"}});
  std::string negative = good;
  negative.replace(0, 8, std::string("\xfe\xff\xff\xff\xff\xff\xff\xff", 8));
  const std::string many =
      pack(TableDescription{.rows = 1, .columns = std::vector<std::string>(100'000)});
  for (const std::string& content : {good.substr(0, good.size() - 1), good.substr(0, 20),
                                     good + "x", negative, many, std::string()}) {
    EXPECT_EQ(describe(frame(FrameKind::Description, content)),
              "damaged: its columns cannot be listed");
  }
  EXPECT_EQ(describe(kDone), "damaged: its columns cannot be listed");
  EXPECT_EQ(describe(rows(0, {1, 2})), "damaged: its columns cannot be listed");
  EXPECT_THAT(describe(frame(FrameKind::Error, "abc")), HasSubstr("does not say why"));
  std::string huge;
  put(huge, Frame{FrameKind::Description, std::uint64_t{1} << 40});
  EXPECT_THAT(describe(huge), HasSubstr("sent too much at once"));
  EXPECT_EQ(describe(""), "no more comes");
}

TEST(TableFrames, AllRowsArriveInOrder) {
  EXPECT_EQ(read(rows(0, {1, 2}) + rows(1, {3, 4, 5, 6}) + kDone), "3");
  EXPECT_EQ(read(kDone, 0), "0");
  EXPECT_EQ(read(rows(0, {1, 2}) + kDone, -1), "1");
}

TEST(TableFrames, RowsThatAreNotAsAnnouncedAreRefused) {
  EXPECT_EQ(read(rows(0, {1, 2}) + kDone), "damaged: 1 of its 3 rows arrive");
  EXPECT_EQ(read(rows(1, {1, 2}) + kDone), "damaged: its rows arrive out of order");
  EXPECT_EQ(read(rows(0, {1, 2, 3, 4, 5, 6, 7, 8}) + kDone),
            "damaged: its rows arrive out of order");
  EXPECT_EQ(read(rows(0, {1}) + kDone), "damaged: its rows arrive in pieces");
  EXPECT_EQ(read(rows(0, {1, 2, 3}) + kDone), "damaged: its rows arrive in pieces");
  EXPECT_EQ(read(rows(0, {}) + kDone), "damaged: its rows arrive in pieces");
  EXPECT_EQ(read(frame(FrameKind{9}, "")), "damaged: its rows arrive in pieces");
  EXPECT_EQ(read(rows(0, {1, 2})), "no more comes");
  EXPECT_EQ(read(rows(0, {1, 2}) + frame(FrameKind::Error, pack(ReadError{"torn", {}}))), "torn");
}

}  // namespace
}  // namespace mase::io
