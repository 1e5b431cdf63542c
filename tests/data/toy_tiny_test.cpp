#include <gtest/gtest.h>

#include <numeric>

#include "mase/data/dataset.h"

namespace mase::data {
namespace {

struct Expected {
  std::vector<double> first_two_rows;
  std::vector<std::int64_t> first_ten_labels;
  std::int64_t ones;
  double mean;
};

// Computed with the original's generator.
void check(const Split& split, const Expected& expected) {
  ASSERT_EQ(split.features.shape(), (ir::Shape{10240, 1, 2, 2}));
  ASSERT_EQ(split.labels.shape(), (ir::Shape{10240}));
  const auto features = split.features.values<float>();
  const auto labels = split.labels.values<std::int64_t>();
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(features[i], static_cast<float>(expected.first_two_rows[i])) << i;
  }
  EXPECT_EQ(std::vector(labels.begin(), labels.begin() + 10), expected.first_ten_labels);
  EXPECT_EQ(std::accumulate(labels.begin(), labels.end(), std::int64_t{0}), expected.ones);
  EXPECT_NEAR(std::accumulate(features.begin(), features.end(), 0.0) / 40960, expected.mean, 1e-9);
}

TEST(ToyTiny, IsTheOriginalsInAllSplits) {
  const DataSet set = open("toy_tiny");
  check(set.train,
        {{0.0976270078546495, 0.43037873274483895, 0.20552675214328775, 0.08976636599379373,
          -0.15269040132219058, 0.29178822613331223, -0.12482557747461498, 0.7835460015641595},
         {1, 1, 1, 0, 1, 1, 0, 0, 0, 1},
         4986,
         -0.004201702588494891});
  check(set.validation,
        {{-0.165955990594852, 0.4406489868843162, -0.9997712503653102, -0.39533485473632046,
          -0.7064882183657739, -0.8153228104624044, -0.6274795772446582, -0.3088785459139045},
         {0, 0, 1, 0, 0, 1, 0, 0, 1, 1},
         5138,
         -0.0016811282795942905});
  check(set.test,
        {{-0.12801019571599248, -0.9481475363442173, 0.09932495575741829, -0.12935521476344625,
          -0.15926439582502194, -0.33933035799225175, -0.590702731924315, 0.2385419327013274},
         {0, 0, 0, 0, 1, 0, 0, 0, 1, 1},
         5149,
         0.0009793127862431391});
  check(set.predict,
        {{0.10159580514915101, 0.41629564523620965, -0.41819052217411135, 0.02165521039532603,
          0.7858939086953094, 0.7925861778668761, -0.7488293790723275, -0.5855142437236265},
         {1, 1, 0, 1, 0, 0, 0, 1, 1, 0},
         5112,
         0.0012603075688790645});
  EXPECT_EQ(set.source, "generated");
  EXPECT_EQ(set.hash.size(), 64u);
}

}  // namespace
}  // namespace mase::data
