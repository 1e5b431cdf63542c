#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mase/data/dataset.h"
#include "tests/shared_data.h"

namespace mase::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Jsc, IsTheCarriedSampleWhenNothingElseIsThereAndSaysSo) {
  std::vector<std::string> log;
  const DataSet set = open("jsc", {.data_dir = "/nowhere",
                                   .info = [&](std::string_view line) { log.emplace_back(line); }});
  EXPECT_THAT(log,
              ElementsAre(HasSubstr("sample"), HasSubstr("validation uses the training rows")));
  EXPECT_EQ(set.train.rows(), 120000);
  EXPECT_EQ(set.validation.rows(), 120000);
  EXPECT_EQ(set.test.rows(), 30000);
  EXPECT_EQ(set.predict.rows(), 30000);
  EXPECT_EQ(set.hash, "e26dbb9ce834f9135c9ca3e31bd32c095cce9b4cc7a83a797bf7b683efe73cb2");

  // Standardised by the training part.
  const auto values = set.train.features.values<float>();
  for (std::size_t f = 0; f < 16; ++f) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = f; i < values.size(); i += 16) {
      sum += values[i];
      squares += static_cast<double>(values[i]) * values[i];
    }
    EXPECT_NEAR(sum / 120000, 0, 1e-6) << f;
    EXPECT_NEAR(squares / 120000, 1, 1e-6) << f;
  }
}

}  // namespace
}  // namespace mase::data
