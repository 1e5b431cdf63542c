#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "mase/data/dataset.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "tests/shared_data.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Mnist : public testing::Test {
 protected:
  Mnist()
      : folder_(fs::path(testing::TempDir()) /
                (std::string("mnist_test_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
  }
  ~Mnist() override { fs::remove_all(folder_); }

  static std::string idx(const std::vector<unsigned>& shape, const std::string& bytes) {
    std::string out("\0\0\x08", 3);
    out += static_cast<char>(shape.size());
    for (const unsigned d : shape) {
      for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(d >> shift);
    }
    return out + bytes;
  }
  // Two images for training and one for testing.
  void write_small(const std::string& test_label = "\x07", unsigned side = 28) {
    const std::string pixels(std::size_t{side} * side, '\xff');
    write_file(folder_ / "mnist/train-images-idx3-ubyte",
               idx({2, 28, 28}, std::string(1568, '\x01')));
    write_file(folder_ / "mnist/train-labels-idx1-ubyte", idx({2}, "\x03\x04"));
    write_file(folder_ / "mnist/t10k-images.idx3-ubyte", idx({1, side, side}, pixels));
    write_file(folder_ / "mnist/t10k-labels.idx1-ubyte",
               idx({static_cast<unsigned>(test_label.size())}, test_label));
  }
  std::string error_of() {
    try {
      open("mnist", {.data_dir = folder_});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Unreadable);
      return error.what();
    }
    return "no error";
  }

  fs::path folder_;
};

TEST_F(Mnist, ReadsTheDistributionsFiles) {
  MASE_NEEDS_SHARED_DATA("mnist/train-images-idx3-ubyte.gz");
  const DataSet set = open("mnist", {.data_dir = shared_data()});
  EXPECT_EQ(set.train.features.shape(), (ir::Shape{60000, 1, 28, 28}));
  EXPECT_EQ(set.test.features.shape(), (ir::Shape{10000, 1, 28, 28}));
  EXPECT_EQ(set.validation.rows(), 10000);
  EXPECT_EQ(set.predict.rows(), 10000);
  std::vector<int> count(10);
  for (const auto label : set.train.labels.values<std::int64_t>())
    ++count[static_cast<std::size_t>(label)];
  EXPECT_THAT(count, ElementsAre(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949));
  const auto pixels = set.train.features.values<float>();
  double sum = 0;
  for (const float p : pixels) sum += p;
  EXPECT_NEAR(sum / static_cast<double>(pixels.size()) / 255, 0.1307, 5e-5);
  EXPECT_EQ(*std::max_element(pixels.begin(), pixels.end()), 255);
}

TEST_F(Mnist, TakesPlainFilesInASubfolderAndBothSpellings) {
  write_small();
  const DataSet set = open("mnist", {.data_dir = folder_});
  EXPECT_EQ(set.train.rows(), 2);
  EXPECT_EQ(set.test.features.at(5), 255);
  EXPECT_THAT(set.train.labels.values<std::int64_t>(), ElementsAre(3, 4));
  EXPECT_EQ(set.source, (folder_ / "mnist").string());
}

TEST_F(Mnist, SaysWhereItLookedAndHowToGetTheData) {
  std::filesystem::create_directories(folder_);
  const std::string error = error_of();
  EXPECT_THAT(error, HasSubstr("train-images-idx3-ubyte.gz is not in " + folder_.string()));
  EXPECT_THAT(error, HasSubstr("ch data mnist --download"));
}

TEST_F(Mnist, RefusesFilesThatDoNotBelongTogether) {
  write_small("\x07\x08");
  EXPECT_THAT(error_of(), HasSubstr("not one byte for each of 1 images"));
  write_small("\x0a");
  EXPECT_THAT(error_of(), HasSubstr("image 0 (counted from 0) has label 10"));
  write_small("\x07", 14);
  EXPECT_THAT(error_of(), HasSubstr("not images of 28 x 28 bytes"));
}

}  // namespace
}  // namespace mase::data
