// First-fit placement of arrays with lifetimes.
#include "mase/engine/native/memory_layout.h"

#include <algorithm>
#include <numeric>

namespace mase::engine::native {

void Lifetime::use(int time) {
  if (last < first) first = last = time;
  first = std::min(first, time);
  last = std::max(last, time);
}

MemoryLayout lay_out(std::span<const Lifetime> arrays) {
  MemoryLayout layout{.at = std::vector<std::int64_t>(arrays.size(), 0)};
  std::vector<std::size_t> order(arrays.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return arrays[a].first < arrays[b].first; });
  std::vector<std::size_t> placed;  // by place
  for (const std::size_t array : order) {
    const Lifetime& mine = arrays[array];
    if (mine.last < mine.first) continue;
    std::int64_t at = 0;
    for (const std::size_t other : placed) {
      const Lifetime& theirs = arrays[other];
      if (theirs.last < mine.first) continue;  // gone by then
      if (at + mine.size <= layout.at[other]) break;
      at = std::max(at, layout.at[other] + theirs.size);
    }
    layout.at[array] = at;
    layout.size = std::max(layout.size, at + mine.size);
    const auto behind = std::upper_bound(
        placed.begin(), placed.end(), at,
        [&](std::int64_t place, std::size_t other) { return place < layout.at[other]; });
    placed.insert(behind, array);
  }
  return layout;
}

}  // namespace mase::engine::native
