#include "mase/io/tables/csv_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <cmath>
#include <filesystem>

#include "mase/io/tables/open_table.h"
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

TEST_F(CsvTableTest, FindsTheDelimiter) {
  EXPECT_THAT(read("a;b\n1;2\n", {0, 1}).or_throw(), ElementsAre(1, 2));
  EXPECT_THAT(read("a\tb\n1\t2\n", {0, 1}).or_throw(), ElementsAre(1, 2));
  EXPECT_THAT(read("\"a,b,c\";d\n1;2\n", {1}).or_throw(), ElementsAre(2));
  EXPECT_THAT(read("\"a;b\",d\n1,2\n", {0, 1}).or_throw(), ElementsAre(1, 2));
  EXPECT_THAT(read("a\n1\n", {0}).or_throw(), ElementsAre(1));
}

TEST_F(CsvTableTest, ReadsDecimalCommasBetweenOtherDelimiters) {
  EXPECT_THAT(read("a;b\n1,5;-2,5e1\n3;\"0,25\"\n", {0, 1}).or_throw(),
              ElementsAre(1.5, -25, 3, 0.25));
  EXPECT_THAT(read("a\tb\n1.5\t2\n", {0, 1}).or_throw(), ElementsAre(1.5, 2));
  // 1,234 may be a thousand in a file that writes 0.5 elsewhere.
  const auto mixed = read("a;b\n0.5;1\n2;1,234\n", {0, 1}).error();
  EXPECT_THAT(mixed.message,
              HasSubstr("column b: '1,234' is written with a decimal comma, a number "
                        "of line 2 with a decimal point"));
  EXPECT_EQ(mixed.where.line, 3);
  EXPECT_EQ(read("a;b\n1.234,5;1\n", {0}).error().message, "column a: '1.234,5' is not a number");
  EXPECT_EQ(read("a\n\"1,5\"\n", {0}).error().message, "column a: '\"1,5\"' is not a number");
}

TEST_F(CsvTableTest, SkipsBlankLinesAndCommentsBeforeTheHeader) {
  EXPECT_THAT(read("\xef\xbb\xbf\n \t\r\n# made by me\n#\n\na,b\n1,2\n", {1}).or_throw(),
              ElementsAre(2));
  EXPECT_EQ(read("\n# a\n\na,b\n1,x\n", {1}).error().where.line, 5);
  EXPECT_EQ(read("# only\n", {0}).error().message, "holds no line that names columns");
}

TEST_F(CsvTableTest, TakesAHeaderThatIsWrittenAsAComment) {  // numpy.savetxt does
  write_file(path_, "# note\n# a,b\n1.0,2\n3,4\n");
  EXPECT_THAT(open_csv_table(path_).or_throw()->columns(), ElementsAre("a", "b"));
  EXPECT_THAT(read("# note\n# a,b\n1.0,2\n3,4\n", {0, 1}).or_throw(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(read("# note\n1.0,2\n3,4\n", {0}).error().message,
              HasSubstr("must name the columns; it holds the number 1.0"));
}

TEST_F(CsvTableTest, ReadsTruthValues) {
  EXPECT_THAT(read("a,b\nTrue,False\ntrue,false\n\"TRUE\",FALSE\n", {0, 1}).or_throw(),
              ElementsAre(1, 0, 1, 0, 1, 0));
  EXPECT_FALSE(read("a\nTrUe\n", {0}).ok());
}

TEST_F(CsvTableTest, ReadsClassesAsTexts) {
  write_file(path_, "x,c\n1,\"b, \"\"q\"\"\"\n2, a \n");
  auto table = open_csv_table(path_).or_throw();
  Categories classes;
  classes.add("a", 0);
  classes.add("b, \"q\"", 1);
  table->categorise(1, classes);
  std::vector<double> out;
  const auto sink = [&](std::int64_t, std::span<const double> values) {
    out.insert(out.end(), values.begin(), values.end());
    return Status(std::monostate{});
  };
  const std::vector<std::size_t> wanted = {1, 0};
  ASSERT_TRUE(table->read(wanted, sink).ok());
  EXPECT_THAT(out, ElementsAre(1, 1, 0, 2));
  write_file(path_, "x,c\n1,a\n2,\x1b[31mred\n");
  const auto error = table->read(wanted, sink).error();
  EXPECT_THAT(error.message, HasSubstr("row 1 (counted from 0), column c: '\\x1b[31mred' is none"));
  EXPECT_EQ(error.where.line, 3);
}

TEST_F(CsvTableTest, ReadsGzippedFiles) {
  const auto zip = [&](std::string_view text) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path_.c_str(), "wb"), gzclose);
    gzwrite(file.get(), text.data(), static_cast<unsigned>(text.size()));
  };
  std::string text = "a;b\n";
  for (int i = 0; i < 100000; ++i) text += fmt::format("{};{}\n", i, i % 7);
  zip(text);
  const auto sum = [&]() -> Result<double> {
    double sum = 0;
    auto table = open_table(path_);
    if (!table) return table.error();
    const auto status =
        (*table)->read(std::vector<std::size_t>{0, 1}, [&](std::int64_t, auto values) {
          for (const double value : values) sum += value;
          return Status(std::monostate{});
        });
    if (!status) return status.error();
    return sum;
  };
  EXPECT_EQ(sum().or_throw(), 99999.0 * 50000 + 299995);
  const std::string whole = read_file(path_).or_throw();
  write_file(path_, std::string_view(whole).substr(0, whole.size() / 2));
  EXPECT_EQ(sum().error().message, "its gzip data is cut off");
  std::string damaged = whole;
  damaged[damaged.size() - 8] ^= 0x55;  // its checksum
  write_file(path_, damaged);
  EXPECT_THAT(sum().error().message, HasSubstr("damaged gzip data"));
  // A small file that unpacks to a line of 100 MB takes no more than a line may.
  zip(std::string(100'000'000, '0'));
  EXPECT_THAT(sum().error().message, HasSubstr("a line is longer than 1048576 bytes"));
}

TEST_F(CsvTableTest, RefusesWhatWouldBeWaitedForForEver) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(open_csv_table(path_).error().message, HasSubstr("not a regular file"));
  EXPECT_THAT(open_table(path_).error().message, HasSubstr("is a pipe, not a file"));
  EXPECT_THAT(open_table("/dev/zero").error().message, HasSubstr("is a device, not a file"));
}

TEST_F(CsvTableTest, BoundsTheLineThatNamesColumns) {
  EXPECT_THAT(read(std::string(17'000'000, 'a') + "\n1\n", {0}).error().message,
              HasSubstr("a line is longer than 1048576 bytes"));
}

TEST_F(CsvTableTest, BoundsTheLengthOfALine) {
  std::string text = "a\n\"";
  text.resize(20'000'000, 'x');
  EXPECT_THAT(read(text, {0}).error().message, HasSubstr("longer than"));
}

}  // namespace
}  // namespace mase::io
