// Streams of numpy's legacy generator, and keyed permutations for shuffling.
// Matsumoto and Nishimura, "Mersenne Twister" (1998); Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators" (2014); Fisher-Yates as in Knuth, TAOCP 3.4.2 P.
#include "mase/support/random.h"

#include <bit>
#include <numeric>
#include <utility>

namespace mase {

__extension__ using Wide = unsigned __int128;

double numpy_uniform(std::mt19937& generator) {
  const auto high = static_cast<double>(generator() >> 5);
  const auto low = static_cast<double>(generator() >> 6);
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

std::vector<std::uint32_t> numpy_permutation(std::uint32_t rows, std::uint32_t seed) {
  std::vector<std::uint32_t> out(rows);
  std::iota(out.begin(), out.end(), 0u);
  std::mt19937 generator(seed);
  for (std::uint32_t i = rows; i-- > 1;) {
    const std::uint32_t mask = 0xffffffffu >> std::countl_zero(i);
    std::uint32_t partner = 0;
    do {
      partner = static_cast<std::uint32_t>(generator()) & mask;
    } while (partner > i);
    std::swap(out[i], out[partner]);
  }
  return out;
}

void keyed_permutation(std::uint64_t key, std::vector<std::uint32_t>& out) {
  std::iota(out.begin(), out.end(), 0u);
  SplitMix64 random(key);
  for (std::size_t i = out.size(); i-- > 1;) {
    // The high word of a 64 x 64 bit product is uniform in 0 .. i to within 2^-32.
    const auto partner =
        static_cast<std::size_t>((static_cast<Wide>(random.next()) * (i + 1)) >> 64);
    std::swap(out[i], out[partner]);
  }
}

}  // namespace mase
