// Bounds of the sums of a quantised layer, and its weights packed for the kernels. Float32 adds
// multiples of one power of two without rounding up to 2^24 of them, so that the float evaluation
// and the integer one give the same number whatever the order of the additions. In 16 bits every
// partial sum must fit: with codes in 0 .. X it lies between X times the sum of the negative and X
// times the sum of the positive weights.
#include "mase/engine/native/integer_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace mase::engine::native {
namespace {

constexpr double kExactFloats = 16777216.0;  // 2^24
constexpr int kLargestFraction = 100;        // keeps every product a normal float32

// The positive and the negative weights that meet one 16-bit lane of a word of bytes, added up.
struct Lane {
  std::int64_t above = 0;
  std::int64_t below = 0;
  void add(std::int64_t weight) { (weight > 0 ? above : below) += weight; }
  bool fits(std::int64_t reach, std::int64_t start = 0) const {
    return start + above * reach <= 32767 && start + below * reach >= -32768;
  }
};

// Lane 0 or 1 of the words from `first` to `last` of an output.
Lane lane_of(const LayerCodes& layer, int output, int lane, int first, int last) {
  Lane sum;
  const auto* w = layer.weight.data() + static_cast<std::ptrdiff_t>(output) * layer.inputs;
  for (int k = first; k < last; ++k) {
    for (int i = 4 * k + 2 * lane; i < std::min(4 * k + 2 * lane + 2, layer.inputs); ++i) {
      sum.add(w[i]);
    }
  }
  return sum;
}

bool runs_fit(const LayerCodes& layer, int words, int run) {
  for (int o = 0; o < layer.outputs; ++o) {
    for (int first = 0; first < words; first += run) {
      for (int lane = 0; lane < 2; ++lane) {
        if (!lane_of(layer, o, lane, first, std::min(first + run, words))
                 .fits(layer.high - layer.low)) {
          return false;
        }
      }
    }
  }
  return true;
}

bool weights_within(const LayerCodes& layer, int low, int high) {
  return std::all_of(layer.weight.begin(), layer.weight.end(),
                     [&](std::int32_t w) { return w >= low && w <= high; });
}

void prove_bytes(const LayerCodes& layer, const IntegerKernels& kernels,
                 const IntegerOptions& options, LayerProof& proof) {
  if (!options.bytes || layer.high - layer.low > 255 || !weights_within(layer, -128, 127)) return;
  const int words = words_of(layer.inputs, CodeSize::Bytes);
  proof.run = std::max(1, words);
  proof.bytes = !kernels.adds_in_16_bits;
  if (proof.bytes) return;
  proof.run = std::clamp(options.longest_run, 1, proof.run);
  while (proof.run > 1 && !runs_fit(layer, words, proof.run)) proof.run = (proof.run + 1) / 2;
  proof.bytes = runs_fit(layer, words, proof.run);
}

std::uint32_t word_of(const LayerCodes& layer, int output, int k, CodeSize size) {
  const int per_word = codes_per_word(size);
  const int bits = 32 / per_word;
  std::uint32_t word = 0;
  for (int b = 0; b < per_word && per_word * k + b < layer.inputs; ++b) {
    const auto at =
        static_cast<std::size_t>(std::int64_t{output} * layer.inputs + per_word * k + b);
    const auto code = static_cast<std::uint32_t>(layer.weight[at]);
    word |= (code & ((1u << bits) - 1)) << (b * bits);
  }
  return word;
}

// The start of an output's sums in two 16-bit lanes; false if that could overflow.
bool split_start(const LayerCodes& layer, int output, std::int64_t start, std::int32_t& word) {
  const int words = words_of(layer.inputs, CodeSize::Bytes);
  const std::int64_t reach = layer.high - layer.low;
  const Lane lanes[2] = {lane_of(layer, output, 0, 0, words), lane_of(layer, output, 1, 0, words)};
  if (!lanes[0].fits(reach) || !lanes[1].fits(reach)) return false;
  const std::int64_t first =
      std::clamp(start, -32768 - lanes[0].below * reach, 32767 - lanes[0].above * reach);
  const std::int64_t second = start - first;
  if (!lanes[0].fits(reach, first) || !lanes[1].fits(reach, second)) return false;
  word = static_cast<std::int32_t>((static_cast<std::uint32_t>(second) << 16) |
                                   (static_cast<std::uint32_t>(first) & 0xffffu));
  return true;
}

}  // namespace

IntegerOptions integer_options() {
  const char* wanted = std::getenv("MASE_NATIVE_INTEGER");
  return {.enabled = wanted == nullptr || std::string_view(wanted) != "0"};
}

LayerProof prove(const LayerCodes& layer, const IntegerKernels& kernels,
                 const IntegerOptions& options) {
  LayerProof proof;
  if (std::abs(layer.fraction) > kLargestFraction ||
      std::abs(layer.bias_fraction) > kLargestFraction) {
    proof.why = "its grids are too far from one";
    return proof;
  }
  const double unit = std::ldexp(1.0, layer.fraction);
  const double reach = std::max(std::abs(layer.low), std::abs(layer.high));
  proof.bias_in_sum = std::all_of(layer.bias.begin(), layer.bias.end(),
                                  [&](float b) { return std::nearbyint(b * unit) == b * unit; });
  // What all terms are multiples of: a product, or a step of a bias on a finer grid.
  const int finest =
      proof.bias_in_sum ? layer.fraction : std::max(layer.fraction, layer.bias_fraction);
  for (int o = 0; o < layer.outputs; ++o) {
    double weights = 0;
    for (int i = 0; i < layer.inputs; ++i) {
      weights +=
          std::abs(layer.weight[static_cast<std::size_t>(std::int64_t{o} * layer.inputs + i)]);
    }
    const double bias = layer.bias[static_cast<std::size_t>(o)];
    proof.largest.push_back(weights * reach + std::abs(bias) * unit);
    if (std::ldexp(proof.largest.back(), finest - layer.fraction) <= kExactFloats) continue;
    proof.why = fmt::format("sums of output {} may pass 2^24", o);
    return proof;
  }
  proof.halves = layer.low >= -32768 && layer.high <= 32767 && weights_within(layer, -32768, 32767);
  prove_bytes(layer, kernels, options, proof);
  if (!proof.bytes && !proof.halves) proof.why = "its codes do not fit 16 bits";
  return proof;
}

PackedLayer pack(const LayerCodes& layer, const LayerProof& proof, CodeSize size) {
  PackedLayer packed;
  packed.shape = {.size = size,
                  .words = words_of(layer.inputs, size),
                  .outputs = layer.outputs,
                  .run = proof.run};
  for (int group = 0; group < layer.outputs; group += 4) {
    const int end = std::min(group + 4, layer.outputs);
    for (int k = 0; k < packed.shape.words; ++k) {
      for (int o = group; o < end; ++o) {
        packed.weight.push_back(static_cast<std::int32_t>(word_of(layer, o, k, size)));
      }
    }
  }
  bool all_fit = size == CodeSize::Bytes && proof.run >= packed.shape.words;
  for (int o = 0; o < layer.outputs; ++o) {
    const auto at = static_cast<std::size_t>(o);
    std::int64_t start = 0;
    if (proof.bias_in_sum) {
      start = static_cast<std::int64_t>(std::ldexp(layer.bias[at], layer.fraction));
    }
    if (size == CodeSize::Bytes) {  // whose codes are counted from the lowest
      for (int i = 0; i < layer.inputs; ++i) {
        start += std::int64_t{layer.low} *
                 layer.weight[static_cast<std::size_t>(std::int64_t{o} * layer.inputs + i)];
      }
    }
    packed.start.push_back(static_cast<std::int32_t>(start));
    std::int32_t halves = 0;
    all_fit = all_fit && split_start(layer, o, start, halves);
    packed.start16.push_back(halves);
  }
  if (!all_fit) packed.start16.clear();
  return packed;
}

IntegerLayer PackedLayer::layer() const {
  IntegerLayer out = shape;
  out.weight = weight.data();
  out.start = start.data();
  out.start16 = start16.empty() ? nullptr : start16.data();
  return out;
}

}  // namespace mase::engine::native
