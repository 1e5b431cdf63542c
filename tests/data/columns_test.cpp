#include "mase/data/columns.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include "mase/data/dataset.h"
#include "mase/io/arrays/npz.h"
#include "mase/support/files.h"
#include "tests/data/jets_file.h"

namespace mase::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ColumnsTest : public testing::Test {
 protected:
  ColumnsTest()
      : path_(testing::TempDir() + "columns_test_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {}
  ~ColumnsTest() override { std::filesystem::remove(path_); }

  DataSet open_text(std::string_view text, const ColumnMap& columns = {}) {
    write_file(path_, text);
    return open_file(columns);
  }
  DataSet open_file(const ColumnMap& columns = {}) {
    warnings_.clear();
    return open(path_, {.use_cache = false,
                        .log =
                            [this](LogLevel level, std::string_view line) {
                              if (level == LogLevel::Warning) warnings_.emplace_back(line);
                            },
                        .columns = columns});
  }
  std::string error_of(const std::function<void()>& doing, ErrorKind kind = ErrorKind::Unreadable) {
    try {
      doing();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      return error.what();
    }
    return "no error";
  }

  std::string path_;
  std::vector<std::string> warnings_;
};

void expect_same_rows(const DataSet& a, const DataSet& b) {
  EXPECT_TRUE(a.train.features == b.train.features);
  EXPECT_TRUE(a.train.labels == b.train.labels);
  EXPECT_TRUE(a.test.features == b.test.features);
  EXPECT_TRUE(a.test.labels == b.test.labels);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// The jets with the class in one column, written by `cell`.
std::string jets_with_label(std::int64_t rows, std::string_view column,
                            const std::function<std::string(std::int64_t)>& cell) {
  const Info jets = info("jsc");
  std::string out = std::string(column);
  for (const auto& name : jets.feature_names) out += "," + name;
  for (std::int64_t row = 0; row < rows; ++row) {
    out += "\n" + cell(row % 5);
    for (std::size_t f = 0; f < jets.feature_names.size(); ++f) {
      out += fmt::format(",{}", 0.5 * static_cast<double>(row) + static_cast<double>(f));
    }
  }
  return out + "\n";
}

TEST_F(ColumnsTest, TwoColumnsOfOneNameAreAnErrorWithBothPlaces) {
  const std::string text = replaced(jets_csv(20), "index,", "j_zlogz,");
  EXPECT_THAT(error_of([&] { open_text(text); }),
              HasSubstr("column j_zlogz is there twice: as columns 1 and 2 of 22"));
  // Columns that nobody wants may be called as they like.
  std::string twice = replaced(replaced(jets_csv(20), "index,", "a,a,"), "\n", "\n0,");
  twice.resize(twice.size() - 2);
  EXPECT_EQ(open_text(twice).train.rows(), 16);
}

TEST_F(ColumnsTest, OneSentenceSaysThatTheFirstLineNamesNoColumns) {
  const std::string error = error_of([&] { open_text("a b c\n1 2 3\n"); });
  EXPECT_THAT(error, HasSubstr("none of the columns that are wanted (j_zlogz, "));
  EXPECT_THAT(error, HasSubstr("reads: a b c"));
  EXPECT_THAT(error, Not(HasSubstr("\n")));
}

TEST_F(ColumnsTest, TakesJetsAsOpenMLHasThem) {
  const DataSet plain = open_text(jets_csv(100));
  expect_same_rows(open_text(replaced(jets_csv(100), "j_", "")), plain);
  const std::string labels = "gqwzt";
  const auto letter = [&](std::int64_t c) { return labels.substr(static_cast<std::size_t>(c), 1); };
  expect_same_rows(open_text(replaced(jets_with_label(100, "class", letter), "j_", "")), plain);
  expect_same_rows(
      open_text(jets_with_label(100, "label", [&](auto c) { return "j_" + letter(c); })), plain);
  expect_same_rows(
      open_text(jets_with_label(100, "target", [](auto c) { return std::to_string(c); })), plain);
}

TEST_F(ColumnsTest, ACellThatIsNoClassIsAnErrorWithItsRow) {
  const auto text = jets_with_label(20, "class", [](std::int64_t c) { return c == 3 ? "x" : "g"; });
  EXPECT_THAT(error_of([&] { open_text(text); }),
              AllOf(HasSubstr(":5: "), HasSubstr("column class: 'x' is none of j_g, g, j_q")));
}

TEST_F(ColumnsTest, ClassesWithoutRowsAreWarnedOf) {
  open_text(jets_with_label(20, "class", [](std::int64_t c) { return c < 2 ? "g" : "w"; }));
  EXPECT_THAT(warnings_, ElementsAre("jsc: no row is of the class j_q, j_z, j_t"));
}

constexpr std::string_view kSmall =
    "id,mass,pt,kind\n1,1.5,3,sig\n2,2.5,4,bkg\n3,3,5,sig\n4,4,6,bkg\n5,5,7,sig\n6,6,8,bkg\n"
    "7,7,9,sig\n8,8,10,bkg\n9,9,11,sig\n10,10,12,bkg\n";

TEST_F(ColumnsTest, AMapChoosesFromAnyTable) {
  const ColumnMap map{.features = {"pt", "mass"}, .target = {"kind"}, .classes = {"bkg", "sig"}};
  const DataSet set = open_text(kSmall, map);
  EXPECT_EQ(set.info.name, "table");
  EXPECT_EQ(set.info.num_classes, 2);
  EXPECT_THAT(set.info.feature_names, ElementsAre("pt", "mass"));
  EXPECT_EQ(set.train.features.shape(), (ir::Shape{8, 2}));
  EXPECT_EQ(set.test.features.shape(), (ir::Shape{2, 2}));
  EXPECT_EQ(info(path_, map).num_features, 2);
  // The order of the classes is that of the map, and the hash is of file and map.
  const DataSet other = open_file({{"pt", "mass"}, {"kind"}, {"sig", "bkg"}});
  EXPECT_TRUE(other.train.features == set.train.features);
  for (std::int64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(other.train.labels.at(i), 1 - set.train.labels.at(i));
  }
  EXPECT_NE(other.hash, set.hash);
}

TEST_F(ColumnsTest, AMapMayNameOneHotColumns) {
  const std::string text = replaced(
      replaced(replaced(std::string(kSmall), ",kind", ",s,b"), ",sig", ",1,0"), ",bkg", ",0,1");
  const DataSet set = open_text(text, {.features = {"mass", "pt"}, .target = {"b", "s"}});
  EXPECT_THAT(set.info.class_names, ElementsAre("b", "s"));
  const DataSet expected = open_text(
      kSmall, {.features = {"mass", "pt"}, .target = {"kind"}, .classes = {"bkg", "sig"}});
  expect_same_rows(set, expected);
}

TEST_F(ColumnsTest, ClassesThatAreNumbersAreComparedByValue) {
  const auto text = replaced(replaced(std::string(kSmall), "sig", "7.0"), "bkg", "-1");
  const DataSet set =
      open_text(text, {.features = {"mass", "pt"}, .target = {"kind"}, .classes = {"7", "-1"}});
  expect_same_rows(set, open_text(kSmall, {{"mass", "pt"}, {"kind"}, {"sig", "bkg"}}));
}

TEST_F(ColumnsTest, AMapOfAWrongNameSaysTheNearest) {
  EXPECT_THAT(error_of([&] {
                open_text(kSmall, {{"mas", "pt"}, {"kinds"}, {"sig", "bkg"}});
              }),
              AllOf(HasSubstr("column mas is missing; did you mean 'mass'?"),
                    HasSubstr("column kinds is missing; did you mean 'kind'?")));
}

TEST_F(ColumnsTest, AMapIsCheckedBeforeAnythingIsOpened) {
  write_file(path_, kSmall);
  const auto error = [&](ColumnMap map) {
    return error_of([&] { info(path_, map); }, ErrorKind::Usage);
  };
  EXPECT_THAT(error({{"a", "a"}, {"t"}, {"x", "y"}}), HasSubstr("features: 'a' is named twice"));
  EXPECT_THAT(error({{"a", "t"}, {"t"}, {"x", "y"}}), HasSubstr("both a feature and the target"));
  EXPECT_THAT(error({{"a"}, {"t"}, {"x"}}), HasSubstr("one class leaves nothing to learn"));
  EXPECT_THAT(error({{"a"}, {"t", "u"}, {"x", "y", "z"}}), HasSubstr("but there are 3 classes"));
  EXPECT_THAT(error({{"X[3..1]"}, {"t"}, {"x", "y"}}), HasSubstr("is not a range"));
  EXPECT_THAT(error_of([] { info("mnist", {.features = {"a"}}); }, ErrorKind::Usage),
              HasSubstr("mnist is no table"));
}

TEST_F(ColumnsTest, RangesNameTheColumnsOfMatrices) {
  ColumnMap map{.features = {"a", "X[2..4]", "b[0]"}};
  EXPECT_THAT(expand(map), ElementsAre());
  EXPECT_THAT(map.features, ElementsAre("a", "X[2]", "X[3]", "X[4]", "b[0]"));
}

// The small jets as X [rows, 16] and y, whose label is what `label` makes.
void write_matrices(const std::string& path, std::string_view x, std::string_view y,
                    const ir::Tensor& labels) {
  std::vector<double> values;
  for (int row = 0; row < 100; ++row) {
    for (int f = 0; f < 16; ++f) values.push_back(0.5 * row + f);
  }
  ir::State arrays;
  arrays.emplace_back(x, ir::Tensor::from<double>({100, 16}, values));
  arrays.emplace_back(y, labels);
  arrays.emplace_back("note", ir::Tensor::scalar(1));
  io::write_npz(path, arrays);
}

TEST_F(ColumnsTest, TakesMatricesOfFeaturesAndClasses) {
  const DataSet plain = open_text(jets_csv(100));
  std::vector<std::int64_t> numbers;
  std::vector<float> hot;
  for (int row = 0; row < 100; ++row) {
    numbers.push_back(row % 5);
    for (int c = 0; c < 5; ++c) hot.push_back(row % 5 == c ? 1.0f : 0.0f);
  }
  write_matrices(path_, "X", "y", ir::Tensor::from<std::int64_t>({100}, numbers));
  expect_same_rows(open_file(), plain);
  write_matrices(path_, "x", "y", ir::Tensor::from<std::int64_t>({100, 1}, numbers));
  expect_same_rows(open_file(), plain);
  write_matrices(path_, "X", "Y", ir::Tensor::from<float>({100, 5}, hot));
  expect_same_rows(open_file(), plain);
  expect_same_rows(open_file({.features = {"X[0..15]"}, .target = {"Y[0..4]"}}), plain);
  EXPECT_THAT(error_of([&] { open_file({.features = {"X"}, .target = {"Y[0..4]"}}); }),
              HasSubstr("X is a matrix: name its columns, 'X[0..15]'"));
  write_matrices(path_, "x_train", "y_train", ir::Tensor::from<std::int64_t>({100}, numbers));
  expect_same_rows(open_file(), plain);
  // Only the jets' own 16 can be taken by their position.
  write_matrices(path_, "X", "y", ir::Tensor::from<float>({100, 5}, hot));
  EXPECT_EQ(open_file({.features = {"X[0]", "X[3..4]"}, .target = {"y[0..4]"}}).info.num_features,
            3);
}

// Data sets of Keras come in two parts: the user names one.
TEST_F(ColumnsTest, OfTwoPartsOneIsNamed) {
  const auto features = [](std::int64_t rows) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < rows * 16; ++i) values.push_back(static_cast<float>(i * 37 % 101));
    return ir::Tensor::from<float>({rows, 16}, values);
  };
  const auto classes = [](std::int64_t rows) {
    std::vector<std::int64_t> values;
    for (std::int64_t row = 0; row < rows; ++row) values.push_back(row % 5);
    return ir::Tensor::from<std::int64_t>({rows}, values);
  };
  io::write_npz(path_, {{"x_test", features(30)},
                        {"x_train", features(100)},
                        {"y_test", classes(30)},
                        {"y_train", classes(100)}});
  EXPECT_THAT(error_of([&] { open_file(); }),
              AllOf(HasSubstr("the rows are in two parts, x_train and x_test"),
                    HasSubstr("--columns 'features=x_train[0..15]' --columns target=y_train")));
  EXPECT_EQ(open_file({.features = {"x_train[0..15]"}, .target = {"y_train"}}).train.rows(), 80);
  EXPECT_EQ(open_file({.features = {"x_test[0..15]"}, .target = {"y_test"}}).train.rows(), 24);
}

TEST_F(ColumnsTest, TwoArraysOfOneNameAreAnError) {
  ir::State arrays;
  for (const auto& name : info("jsc").feature_names) {
    arrays.emplace_back(name, ir::Tensor({20}, ir::DType::Float32));
  }
  arrays.emplace_back("j_zlogz", ir::Tensor({20}, ir::DType::Float32));
  arrays.emplace_back("class", ir::Tensor({20}, ir::DType::Int64));
  io::write_npz(path_, arrays);
  EXPECT_THAT(error_of([&] { open_file(); }),
              HasSubstr("column j_zlogz is there twice: as columns 1 and 17 of 18"));
}

}  // namespace
}  // namespace mase::data
