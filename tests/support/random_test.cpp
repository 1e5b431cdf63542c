#include "mase/support/random.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mase {
namespace {

TEST(Random, PermutesAsNumpyDoes) {
  EXPECT_EQ(numpy_permutation(10, 42), (std::vector<std::uint32_t>{8, 1, 5, 0, 7, 2, 9, 4, 3, 6}));
  const auto thousand = numpy_permutation(1000, 42);
  EXPECT_EQ(std::vector(thousand.begin(), thousand.begin() + 4),
            (std::vector<std::uint32_t>{521, 737, 740, 660}));
  EXPECT_EQ(std::vector(thousand.end() - 5, thousand.end()),
            (std::vector<std::uint32_t>{106, 270, 860, 435, 102}));
}

TEST(Random, PermutesNothingAndOne) {
  EXPECT_TRUE(numpy_permutation(0, 42).empty());
  EXPECT_EQ(numpy_permutation(1, 42), std::vector<std::uint32_t>{0});
}

TEST(Random, PermutesTheRowsOfThePublishedTable) {
  const auto order = numpy_permutation(986806, 42);
  EXPECT_EQ(std::vector(order.begin(), order.begin() + 5),
            (std::vector<std::uint32_t>{418822, 237221, 418335, 457483, 968997}));
}

TEST(Random, KeyedPermutationHoldsEachRowOnceAndFollowsItsKey) {
  std::vector<std::uint32_t> a(1000), b(1000), c(1000);
  keyed_permutation(1, a);
  keyed_permutation(1, b);
  keyed_permutation(2, c);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  std::sort(a.begin(), a.end());
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(a[i], i);
}

TEST(Random, KeyedPermutationIsUniform) {
  // Where row 0 of 4 lands over 40,000 keys: 10,000 each, standard deviation 87.
  std::vector<int> count(4);
  std::vector<std::uint32_t> order(4);
  for (std::uint64_t key = 0; key < 40000; ++key) {
    keyed_permutation(combine_keys(7, key), order);
    ++count[static_cast<std::size_t>(std::find(order.begin(), order.end(), 0u) - order.begin())];
  }
  for (const int n : count) EXPECT_NEAR(n, 10000, 500);
}

TEST(Random, KeysDependOnOrder) {
  EXPECT_NE(combine_keys(1, 2), combine_keys(2, 1));
}

}  // namespace
}  // namespace mase
