#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace mase {

// MT19937 seeded with one integer, with the derived draws of the two libraries whose streams
// results are compared with: PyTorch's CPU generator (initial weights) and NumPy's RandomState
// (splits, the toy data). One 32-bit output per call unless said otherwise.
class Random {
 public:
  // Both libraries use the low 32 bits of the seed.
  explicit Random(std::uint64_t seed) : engine_(static_cast<std::uint32_t>(seed)) {}

  std::uint32_t bits() { return static_cast<std::uint32_t>(engine_()); }

  // float32 in [low, high) from the low 24 bits, as torch.Tensor.uniform_(low, high): its kernel
  // fuses the last multiplication and addition.
  float uniform(float low, float high) {
    const float unit = static_cast<float>(bits() & 0xffffffu) * 0x1p-24f;
    return std::fma(unit, high - low, low);
  }

  // float64 in [0, 1) from two outputs, as numpy.random.RandomState.random_sample.
  double unit() {
    const std::uint32_t high = bits() >> 5;
    const std::uint32_t low = bits() >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
  }

  // A whole number in 0..max by masked rejection, as NumPy's shuffle draws it. No output for 0.
  std::uint32_t up_to(std::uint32_t max) {
    if (max == 0) return 0;
    std::uint32_t mask = max;
    for (unsigned shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    std::uint32_t value = bits() & mask;
    while (value > max) value = bits() & mask;
    return value;
  }

  // 0..count-1 in the order of numpy.random.RandomState.permutation(count).
  std::vector<std::uint32_t> permutation(std::uint32_t count) {
    std::vector<std::uint32_t> order(count);
    for (std::uint32_t i = 0; i < count; ++i) order[i] = i;
    for (std::uint32_t i = count; i-- > 1;) std::swap(order[i], order[up_to(i)]);
    return order;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace mase
