#include "mase/support/shuffle.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mase {
namespace {

TEST(Shuffle, HoldsEachRowOnceAndFollowsItsKey) {
  std::vector<std::uint32_t> a(1000), b(1000), c(1000);
  shuffle(1, a);
  shuffle(1, b);
  shuffle(2, c);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  std::sort(a.begin(), a.end());
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(a[i], i);
}

TEST(Shuffle, IsUniform) {
  // Where row 0 of 4 lands over 40,000 keys: 10,000 each, standard deviation 87.
  std::vector<int> count(4);
  std::vector<std::uint32_t> order(4);
  for (std::uint64_t key = 0; key < 40000; ++key) {
    shuffle(combine_keys(7, key), order);
    ++count[static_cast<std::size_t>(std::find(order.begin(), order.end(), 0u) - order.begin())];
  }
  for (const int n : count) EXPECT_NEAR(n, 10000, 500);
}

TEST(Shuffle, KeysDependOnTheirOrder) {
  EXPECT_NE(combine_keys(1, 2), combine_keys(2, 1));
}

}  // namespace
}  // namespace mase
