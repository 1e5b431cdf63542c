// Keyed permutations: Fisher-Yates (Knuth, TAOCP 3.4.2 P) over the SplitMix64 stream (Steele, Lea
// and Flood, "Fast splittable pseudorandom number generators", 2014).
#include "mase/support/shuffle.h"

#include <numeric>
#include <utility>

namespace mase {

__extension__ using Wide = unsigned __int128;

void shuffle(std::uint64_t key, std::vector<std::uint32_t>& out) {
  std::iota(out.begin(), out.end(), 0u);
  for (std::size_t i = out.size(); i-- > 1;) {
    key += 0x9e3779b97f4a7c15ull;
    // The high word of a 64 x 64 bit product is uniform in 0 .. i to within 2^-32.
    std::swap(out[i],
              out[static_cast<std::size_t>((static_cast<Wide>(scramble(key)) * (i + 1)) >> 64)]);
  }
}

}  // namespace mase
