#include <gtest/gtest.h>

#include <algorithm>

#include "mase/data/dataset.h"
#include "mase/support/error.h"

namespace mase::data {
namespace {

std::vector<std::uint32_t> epoch_order(Loader& loader, std::int64_t epoch) {
  loader.start_epoch(epoch);
  std::vector<std::uint32_t> out;
  for (std::int64_t i = 0; i < loader.batches(); ++i) {
    const auto batch = loader.batch(i);
    out.insert(out.end(), batch.begin(), batch.end());
  }
  return out;
}

TEST(Loader, VisitsEachRowOnceInBatchesOfWhichTheLastIsShort) {
  Loader loader(1000, 64, true, 3);
  EXPECT_EQ(loader.batches(), 16);
  EXPECT_EQ(loader.batch(0).size(), 64u);
  EXPECT_EQ(loader.batch(15).size(), 40u);
  auto order = epoch_order(loader, 0);
  std::sort(order.begin(), order.end());
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(order[i], i);
}

TEST(Loader, OrderDependsOnSeedAndEpochOnly) {
  Loader a(1000, 64, true, 3);
  Loader b(1000, 7, true, 3);
  Loader other_seed(1000, 64, true, 4);
  const auto fifth = epoch_order(a, 5);
  EXPECT_NE(epoch_order(a, 6), fifth);
  EXPECT_EQ(epoch_order(a, 5), fifth);  // whatever came before
  EXPECT_EQ(epoch_order(b, 5), fifth);
  EXPECT_NE(epoch_order(other_seed, 5), fifth);
}

TEST(Loader, KeepsTheOrderOfTheFileWithoutShuffling) {
  Loader loader(5, 2, false, 3);
  EXPECT_EQ(epoch_order(loader, 9), (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
}

TEST(Loader, AnEmptySplitHasNoBatches) {
  EXPECT_EQ(Loader(0, 8, true, 0).batches(), 0);
}

TEST(Loader, ABatchSizeBeyondTheRowsIsOneBatch) {
  for (const std::int64_t size : {std::int64_t{6}, std::numeric_limits<std::int64_t>::max()}) {
    Loader loader(5, size, false, 0);
    EXPECT_EQ(loader.batches(), 1);
    EXPECT_EQ(loader.batch(0).size(), 5u);
    EXPECT_EQ(Loader(0, size, true, 0).batches(), 0);
  }
}

TEST(Loader, RefusesABatchSizeOfZero) {
  EXPECT_THROW(Loader(5, 0, true, 0), Error);
}

}  // namespace
}  // namespace mase::data
