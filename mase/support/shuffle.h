#pragma once

#include <cstdint>
#include <vector>

// Our own random order, which depends on its key only (support/random.h has the streams of other
// programs).
namespace mase {

// A bijective scramble of 64 bits (the finaliser of SplitMix64).
constexpr std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// One key from two, order matters: combine_keys(seed, epoch).
constexpr std::uint64_t combine_keys(std::uint64_t a, std::uint64_t b) {
  return scramble(scramble(a + 0x9e3779b97f4a7c15ull) ^ (b + 0x9e3779b97f4a7c15ull));
}

// Fills `out` with a permutation of 0 .. out.size() - 1.
void shuffle(std::uint64_t key, std::vector<std::uint32_t>& out);

}  // namespace mase
