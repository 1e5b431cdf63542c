#pragma once

#include <cstdint>
#include <random>
#include <vector>

// Random numbers that are part of the results: the streams of the programs whose files we
// reproduce, and our own, which depend on their keys only.
namespace mase {

// numpy's legacy generator is the Mersenne Twister seeded with one integer, std::mt19937.

// Uniform in [0, 1) from two outputs a, b: ((a >> 5) 2^26 + (b >> 6)) / 2^53.
double numpy_uniform(std::mt19937& generator);

// numpy.random.RandomState(seed).permutation(rows): Fisher-Yates from the back, each partner drawn
// by masked rejection of one output.
std::vector<std::uint32_t> numpy_permutation(std::uint32_t rows, std::uint32_t seed);

// A bijective scramble of 64 bits (the finaliser of SplitMix64).
constexpr std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// One key from several, order matters: combine_keys(seed, epoch).
constexpr std::uint64_t combine_keys(std::uint64_t a, std::uint64_t b) {
  return scramble(scramble(a + 0x9e3779b97f4a7c15ull) ^ (b + 0x9e3779b97f4a7c15ull));
}

// SplitMix64: 64 good bits per call from a counter.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t key) : state_(key) {}
  std::uint64_t next() { return scramble(state_ += 0x9e3779b97f4a7c15ull); }

 private:
  std::uint64_t state_;
};

// A permutation of 0 .. out.size() - 1 that depends on the key and the size only.
void keyed_permutation(std::uint64_t key, std::vector<std::uint32_t>& out);

}  // namespace mase
