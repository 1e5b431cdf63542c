// Arrays that live at the same time never share memory, and memory is shared where it can be.
#include "mase/engine/native/memory_layout.h"

#include <gtest/gtest.h>

#include "mase/support/random.h"

namespace mase::engine::native {
namespace {

bool live_together(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

TEST(MemoryLayout, WhatLivesTogetherNeverOverlaps) {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> arrays(1 + random.up_to(20));
    std::int64_t total = 0;
    for (Lifetime& array : arrays) {
      array.size = 1 + random.up_to(30);
      array.use(static_cast<int>(random.up_to(40)));
      array.use(static_cast<int>(random.up_to(40)));
      total += array.size;
    }
    const MemoryLayout layout = lay_out(arrays);
    EXPECT_LE(layout.size, total);
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      EXPECT_LE(layout.at[i] + arrays[i].size, layout.size);
      for (std::size_t k = 0; k < i; ++k) {
        if (!live_together(arrays[i], arrays[k])) continue;
        EXPECT_TRUE(layout.at[i] + arrays[i].size <= layout.at[k] ||
                    layout.at[k] + arrays[k].size <= layout.at[i])
            << round << ": " << i << " and " << k;
      }
    }
  }
}

TEST(MemoryLayout, AChainTakesTheRoomOfTwo) {
  std::vector<Lifetime> arrays(6);
  for (int i = 0; i < 6; ++i) {
    arrays[static_cast<std::size_t>(i)] = {.size = 8, .first = i, .last = i + 1};
  }
  EXPECT_EQ(lay_out(arrays).size, 16);
}

TEST(MemoryLayout, WhatIsNeverUsedTakesNoRoom) {
  const std::vector<Lifetime> arrays{{.size = 100}, {.size = 4, .first = 0, .last = 3}};
  EXPECT_EQ(lay_out(arrays).size, 4);
}

}  // namespace
}  // namespace mase::engine::native
