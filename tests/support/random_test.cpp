#include "mase/support/random.h"

#include <gtest/gtest.h>

namespace mase {
namespace {

using Rows = std::vector<std::uint32_t>;

TEST(Random, PermutesAsNumpyDoes) {
  EXPECT_EQ(Random(42).permutation(10), (Rows{8, 1, 5, 0, 7, 2, 9, 4, 3, 6}));
  const Rows thousand = Random(42).permutation(1000);
  EXPECT_EQ(Rows(thousand.begin(), thousand.begin() + 10),
            (Rows{521, 737, 740, 660, 411, 678, 626, 513, 859, 136}));
  EXPECT_EQ(Rows(thousand.end() - 5, thousand.end()), (Rows{106, 270, 860, 435, 102}));
}

TEST(Random, PermutesNothingAndOne) {
  EXPECT_TRUE(Random(42).permutation(0).empty());
  EXPECT_EQ(Random(42).permutation(1), Rows{0});
}

TEST(Random, PermutesTheRowsOfThePublishedTable) {
  const Rows order = Random(42).permutation(986806);
  EXPECT_EQ(Rows(order.begin(), order.begin() + 10),
            (Rows{418822, 237221, 418335, 457483, 968997, 732622, 89745, 849701, 151520, 46035}));
}

}  // namespace
}  // namespace mase
