#include "mase/io/npy_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mase/io/npz.h"
#include "mase/io/open_table.h"
#include "mase/support/files.h"

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

TEST_F(NpyTableTest, ReadsAcrossPieces) {
  std::vector<float> values(20000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  ir::State arrays;
  arrays.emplace_back("a", column(values));
  write_npz(path_, arrays);
  const auto back = read_all(*open_table(path_).or_throw(), {0});
  EXPECT_EQ(back, std::vector<double>(values.begin(), values.end()));
}

TEST_F(NpyTableTest, RefusesColumnsThatMakeNoTable) {
  ir::State arrays;
  arrays.emplace_back("a", column({1, 2, 3}));
  arrays.emplace_back("b", column({4, 5}));
  write_npz(path_, arrays);
  EXPECT_EQ(open_table(path_).error().message, "column b has 2 rows, but a has 3");
  arrays = {};
  arrays.emplace_back("x", column({1, 2, 3, 4}).reshaped({2, 2}));
  write_npz(path_, arrays);
  EXPECT_THAT(open_table(path_).error().message, HasSubstr("column x has shape [2, 2]"));
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
