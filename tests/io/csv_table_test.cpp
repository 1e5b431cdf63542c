#include "mase/io/csv_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "mase/support/files.h"

namespace mase::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CsvTableTest : public testing::Test {
 protected:
  CsvTableTest() {
    path_ = testing::TempDir() + "csv_table_test_" +
            testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv";
  }
  ~CsvTableTest() override { std::filesystem::remove(path_); }

  Result<std::vector<double>> read(std::string_view text, std::vector<std::size_t> wanted) {
    write_file(path_, text);
    auto table = open_csv_table(path_);
    if (!table) return table.error();
    std::vector<double> out;
    auto status = (*table)->read(wanted, [&](std::int64_t, std::span<const double> values) {
      out.insert(out.end(), values.begin(), values.end());
      return Status(std::monostate{});
    });
    if (!status) return status.error();
    return out;
  }

  std::string path_;
};

TEST_F(CsvTableTest, ReadsColumnsInTheOrderAskedFor) {
  EXPECT_THAT(read("a,b,c\n1,2,3\n4,5.5,-6e1\n", {2, 0}).or_throw(), ElementsAre(3, 1, -60, 4));
}

TEST_F(CsvTableTest, ReadsQuotesBlanksAndEveryLineEnd) {
  write_file(path_, "\xef\xbb\xbf\"a, \"\"first\"\"\" , b\r\n");
  EXPECT_THAT(open_csv_table(path_).or_throw()->columns(), ElementsAre("a, \"first\"", "b"));
  EXPECT_THAT(read("\"a\",b\r\n\r\n\"1\", +2 \r\n \" 3\",4", {0, 1}).or_throw(),
              ElementsAre(1, 2, 3, 4));
}

TEST_F(CsvTableTest, LeavesOtherColumnsAlone) {
  EXPECT_THAT(read("name,x\n\"one, two\nthree\",1\n,2\n", {1}).or_throw(), ElementsAre(1, 2));
}

TEST_F(CsvTableTest, RoundsCorrectlyAndKnowsTheRange) {
  const auto values =
      read("x\n0.1\n1e400\n-1e400\n1e-400\n9007199254740993\nnan\ninf\n", {0}).or_throw();
  EXPECT_EQ(values[0], 0.1);
  EXPECT_EQ(values[1], INFINITY);
  EXPECT_EQ(values[2], -INFINITY);
  EXPECT_EQ(values[3], 0);
  EXPECT_EQ(values[4], 9007199254740992.0);
  EXPECT_TRUE(std::isnan(values[5]));
  EXPECT_EQ(values[6], INFINITY);
}

TEST_F(CsvTableTest, ErrorsNameTheLine) {
  const auto error = read("a,b\n1,2\n\n3,x y\n", {0, 1}).error();
  EXPECT_EQ(error.message, "column b: 'x y' is not a number");
  EXPECT_EQ(error.where.line, 4);
  const auto short_line = read("a,b\n1,2\n3\n", {0}).error();
  EXPECT_EQ(short_line.message, "has 1 fields, but the first line names 2 columns");
  EXPECT_EQ(short_line.where.line, 3);
  EXPECT_EQ(read("a,b\n1,2,3\n", {0}).error().where.line, 2);
  EXPECT_EQ(read("a,b\n1,+-2\n", {1}).error().where.line, 2);
  // A quoted line end counts as a line.
  EXPECT_EQ(read("a,b\n1,\"2\n\"\n3,x\n", {0}).or_throw().size(), 2u);
  EXPECT_EQ(read("a,b\n1,\"2\n\"\nx,3\n", {0}).error().where.line, 4);
}

TEST_F(CsvTableTest, WhereIsTheLineOfARow) {
  write_file(path_, "a\n\n1\n2\n");
  auto table = open_csv_table(path_).or_throw();
  const std::vector<std::size_t> wanted = {0};
  const auto status = table->read(wanted, [&](std::int64_t, std::span<const double>) {
    EXPECT_EQ(table->where(0).line, 3);
    EXPECT_EQ(table->where(1).line, 4);
    EXPECT_EQ(table->where(2).line, 0);
    return Status(std::monostate{});
  });
  EXPECT_TRUE(status.ok());
}

TEST_F(CsvTableTest, RefusesWhatIsNoTable) {
  EXPECT_EQ(read("", {0}).error().message, "is empty");
  EXPECT_THAT(read("1,2\n3,4\n", {0}).error().message, HasSubstr("must name the columns"));
  EXPECT_EQ(read(std::string_view("a\0b\n1\n", 6), {0}).error().message, "is not a text file");
  EXPECT_EQ(read("a\n\"1\n", {0}).error().message, "a quoted field is not closed");
  EXPECT_THAT(open_csv_table("/nowhere/x.csv").error().message, HasSubstr("cannot be read"));
}

TEST_F(CsvTableTest, ReadsAcrossBlocks) {
  std::string text = "a,b\n";
  for (int i = 0; i < 200000; ++i) text += std::to_string(i) + "," + std::to_string(-i) + "\n";
  const auto values = read(text, {1, 0}).or_throw();
  ASSERT_EQ(values.size(), 400000u);
  for (int i = 0; i < 200000; ++i) {
    ASSERT_EQ(values[2 * static_cast<std::size_t>(i)], -i);
    ASSERT_EQ(values[2 * static_cast<std::size_t>(i) + 1], i);
  }
}

TEST_F(CsvTableTest, BoundsTheLengthOfALine) {
  std::string text = "a\n\"";
  text.resize(20'000'000, 'x');
  EXPECT_THAT(read(text, {0}).error().message, HasSubstr("longer than"));
}

}  // namespace
}  // namespace mase::io
