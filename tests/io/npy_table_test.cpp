#include "mase/io/tables/npy_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mase/io/arrays/npz.h"
#include "mase/io/tables/open_table.h"
#include "mase/io/zip.h"
#include "mase/support/files.h"
#include "tests/io/bounds.h"
#include "tests/io/deflated.h"

namespace mase::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class NpyTableTest : public testing::Test {
 protected:
  NpyTableTest() {
    path_ = testing::TempDir() + "npy_table_test_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  ~NpyTableTest() override { std::filesystem::remove(path_); }

  std::string path_;
};

std::vector<double> read_all(Table& table, const std::vector<std::size_t>& wanted) {
  std::vector<double> out;
  const auto status = table.read(wanted, [&](std::int64_t, std::span<const double> values) {
    out.insert(out.end(), values.begin(), values.end());
    return Status(std::monostate{});
  });
  EXPECT_TRUE(status.ok());
  return out;
}

ir::Tensor column(std::vector<float> values) {
  return ir::Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values);
}

// A structured array: int32 'n' and float64 'x', two rows.
std::string structured() {
  std::string header =
      "{'descr': [('n', '<i4'), ('x', '<f8')], 'fortran_order': False, 'shape': (2,), }";
  header.resize(117, ' ');
  header += '\n';
  std::string out = "\x93NUMPY";
  out += std::string("\x01\x00\x76\x00", 4) + header;
  for (const auto& [n, x] : {std::pair(3, 0.5), std::pair(-4, 1.5)}) {
    put<std::int32_t>(out, n);
    put<double>(out, x);
  }
  return out;
}

// An npy file.
std::string array(std::string_view descr, std::string_view shape, std::string_view data,
                  std::string_view fortran = "False") {
  std::string header =
      fmt::format("{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}\n", descr, fortran, shape);
  std::string out("\x93NUMPY\x01\x00", 8);
  put(out, static_cast<std::uint16_t>(header.size()));
  return out + header + std::string(data);
}

TEST_F(NpyTableTest, ReadsAStructuredArray) {
  write_file(path_, structured());
  auto table = open_table(path_).or_throw();
  EXPECT_EQ(table->rows(), 2);
  EXPECT_THAT(table->columns(), ElementsAre("n", "x"));
  EXPECT_THAT(read_all(*table, {1, 0}), ElementsAre(0.5, 3, 1.5, -4));
}

TEST_F(NpyTableTest, ReadsAnArchiveOfColumns) {
  ir::State arrays;
  arrays.emplace_back("a", column({1, 2, 3}));
  arrays.emplace_back("b", column({4, 5, 6}));
  write_npz(path_, arrays);
  auto table = open_table(path_).or_throw();
  EXPECT_THAT(read_all(*table, {0, 1}), ElementsAre(1, 4, 2, 5, 3, 6));
}

// Opened tables are read later: who cuts the file off meanwhile ends nobody (SIGBUS of a mapping).
TEST_F(NpyTableTest, TheFileMayBeCutOffWhileItIsOpen) {
  write_npz(path_, {{"a", column(std::vector<float>(20'000, 2))}});
  auto archive = open_npz_table(path_).or_throw();
  std::filesystem::resize_file(path_, 0);
  EXPECT_EQ(read_all(*archive, {0}), std::vector<double>(20'000, 2));
  write_file(path_, structured());
  auto single = open_npy_table(path_).or_throw();
  std::filesystem::resize_file(path_, 0);
  EXPECT_THAT(read_all(*single, {1}), ElementsAre(0.5, 1.5));
}

TEST_F(NpyTableTest, ReadsAcrossPieces) {
  std::vector<float> values(20000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  ir::State arrays;
  arrays.emplace_back("a", column(values));
  write_npz(path_, arrays);
  const auto back = read_all(*open_table(path_).or_throw(), {0});
  EXPECT_EQ(back, std::vector<double>(values.begin(), values.end()));
}

TEST_F(NpyTableTest, WantedColumnsMustMakeATable) {
  ir::State arrays;
  arrays.emplace_back("a", column({1, 2, 3}));
  arrays.emplace_back("b", column({4, 5}));
  arrays.emplace_back("c", ir::Tensor::scalar(4));
  arrays.emplace_back("d", ir::Tensor({3, 2, 2}, ir::DType::Float32));
  write_npz(path_, arrays);
  auto table = open_table(path_).or_throw();
  EXPECT_THAT(read_all(*table, {1}), ElementsAre(4, 5));  // the others may be as they like
  const auto error = [&](const std::vector<std::size_t>& wanted) {
    return table->read(wanted, [](auto, auto) { return Status(std::monostate{}); }).error().message;
  };
  EXPECT_EQ(error({0, 1}), "column b has 2 rows, but a has 3");
  EXPECT_EQ(error({2}), "column c is a single value, not one for each row");
  EXPECT_EQ(error({3}), "column d holds values of shape [2, 2] for each row, not one");
  arrays = {};
  arrays.emplace_back("x", ir::Tensor::scalar(4));
  write_npz(path_, arrays);
  EXPECT_THAT(open_table(path_).error().message, HasSubstr("holds no columns that can be read"));
}

TEST_F(NpyTableTest, MatricesAreColumnsInBothOrders) {
  ZipWriter zip;
  std::string values;
  for (const float value : {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f}) put(values, value);
  zip.add("C.npy", array("'<f4'", "(2, 3)", values));
  zip.add("F.npy", array("'<f4'", "(2, 3)", values, "True"));
  zip.add("rec.npy", array("[('m', '<f4', (3,))]", "(2,)", values));
  zip.write(path_);
  auto table = open_table(path_).or_throw();
  EXPECT_THAT(table->columns(),
              ElementsAre("C[0]", "C[1]", "C[2]", "F[0]", "F[1]", "F[2]", "m[0]", "m[1]", "m[2]"));
  EXPECT_THAT(read_all(*table, {0, 2}), ElementsAre(1, 3, 4, 6));
  EXPECT_THAT(read_all(*table, {3, 5}), ElementsAre(1, 5, 2, 6));
  EXPECT_THAT(read_all(*table, {8}), ElementsAre(3, 6));
}

TEST_F(NpyTableTest, ReadsTextsAsClasses) {
  ZipWriter zip;
  std::string wide;
  for (const char32_t c : U"g\0\0q\u00e9\0") {
    if (wide.size() < 24) put(wide, static_cast<std::uint32_t>(c));
  }
  zip.add("u.npy", array("'<U3'", "(2,)", wide));
  zip.add("s.npy", array("'|S2'", "(2,)", std::string("q\0ab", 4)));
  zip.add("when.npy", array("'<M8[ns]'", "(2,)", std::string(16, '\0')));
  zip.add("who.npy", array("'|O'", "(2,)", "pickled"));
  zip.add("n.npy", array("'<i4'", "(2,)", std::string("\1\0\0\0\0\0\0\0", 8)));
  zip.write(path_);
  auto table = open_table(path_).or_throw();
  const auto error = [&](std::size_t wanted) {
    return table->read(std::vector{wanted}, [](auto, auto) { return Status(std::monostate{}); })
        .error()
        .message;
  };
  EXPECT_EQ(error(0), "column u holds texts, not numbers");
  EXPECT_EQ(error(2), "column when dtype '<M8[ns]' holds dates or times, not numbers");
  EXPECT_THAT(error(3), HasSubstr("holds Python objects"));
  Categories classes;
  classes.add("g", 0);
  classes.add("q\u00e9", 1);
  classes.add("ab", 2);
  for (const std::size_t column : {0u, 1u, 4u}) table->categorise(column, classes);
  EXPECT_THAT(read_all(*table, {0, 4}), ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(error(1), HasSubstr("row 0 (counted from 0), column s: 'q' is none of g, q"));
}

// An array with objects in any field is pickled as a whole: no field lies where the header says.
TEST_F(NpyTableTest, NoFieldOfAPickledTableIsRead) {
  write_file(path_, array("[('x', '<f8'), ('who', '|O')]", "(2,)", std::string(64, 'x')));
  EXPECT_EQ(open_npy_table(path_).error().message,
            "holds no columns that can be read: field 'who': dtype '|O' holds Python objects "
            "(pickled code)");
  EXPECT_THAT(read_npy_columns(path_).error().message, HasSubstr("field 'who'"));
}

// Zeros shrink to a thousandth; what the header of the array does not announce is not unpacked.
TEST_F(NpyTableTest, NoMoreIsUnpackedThanTheHeaderAnnounces) {
  constexpr std::size_t kBytes = std::size_t{1} << 27;
  const auto write = [&](std::string_view descr, std::string_view shape) {
    std::string content = array(descr, shape, "");
    content.resize(kBytes, '\0');
    write_file(path_, tests::deflated_archive(content, kBytes, "a.npy"));
  };
  for (const auto& [descr, why] :
       {std::pair("'<f8'", "bytes lie behind the array"), std::pair("'|O'", "Python objects")}) {
    write(descr, "(2,)");
    EXPECT_TRUE(tests::runs_within(std::size_t{24} << 20, [&] {
      const auto read = read_npz(path_);
      return !read && read.error().message.find(why) != std::string::npos;
    })) << descr;
  }
  write("'<f8'", "(2,)");
  EXPECT_TRUE(tests::runs_within(std::size_t{24} << 20, [&] {
    auto table = open_npz_table(path_).or_throw();
    const auto status = table->read(std::vector<std::size_t>{0},
                                    [](auto, auto) { return Status(std::monostate{}); });
    return !status && status.error().message.find("lie behind") != std::string::npos;
  }));
}

TEST_F(NpyTableTest, OpenTableTellsTheFormats) {
  write_file(path_, "a,b\n1,2\n");
  EXPECT_THAT(open_table(path_).or_throw()->columns(), ElementsAre("a", "b"));
  write_file(path_, std::string("\x7f\x45\0\0", 4));
  EXPECT_EQ(open_table(path_).error().message, "is neither HDF5, npy, npz nor CSV");
  EXPECT_EQ(open_table(testing::TempDir()).error().message, "is a folder, not a file");
  EXPECT_THAT(open_table("/nowhere/x").error().message, HasSubstr("file not found"));
}

}  // namespace
}  // namespace mase::io
