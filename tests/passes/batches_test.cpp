#include "mase/passes/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace mase::passes {
namespace {

data::Split ten_rows() {
  std::vector<float> features(10);
  std::iota(features.begin(), features.end(), 0.0f);
  return {.features = ir::Tensor::from<float>({10, 1}, features),
          .labels = ir::Tensor({10}, ir::DType::Int64)};
}

std::vector<std::vector<float>> all(const BatchSource& next, const std::string& placeholder) {
  std::vector<std::vector<float>> out;
  while (const auto batch = next()) {
    EXPECT_EQ(batch->size(), 1u);
    out.push_back(ir::find(*batch, placeholder)->floats());
  }
  EXPECT_FALSE(next().has_value());
  return out;
}

TEST(Batches, InOrder) {
  const auto rows = all(batches(ten_rows(), 4), "x");
  EXPECT_EQ(rows, (std::vector<std::vector<float>>{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}));
}

TEST(Batches, ShuffledBySeed) {
  const auto a = all(batches(ten_rows(), 10, 1, "y"), "y");
  EXPECT_EQ(a, all(batches(ten_rows(), 10, 1, "y"), "y"));
  EXPECT_NE(a, all(batches(ten_rows(), 10, 2, "y"), "y"));
  std::vector<float> sorted = a[0];
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, ten_rows().features.floats());
}

}  // namespace
}  // namespace mase::passes
