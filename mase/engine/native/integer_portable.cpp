// Integer kernels as plain loops: what runs where there are no vectors of ours, and what those are
// tested against.
#include <algorithm>
#include <cmath>

#include "mase/engine/native/integer_kernels.h"

namespace mase::engine::native::portable {
namespace {

constexpr int kBlock = 16;  // samples at a time; every tile is padded to it

// As fma_once in simd.h, whose bits these must be.
float multiply_add(float a, float b, float c) {
#if defined(__ARM_NEON)
  return std::fma(a, b, c);
#else
  return static_cast<float>(static_cast<double>(a) * b + c);
#endif
}

// The code before clamping; false if the value has none in 32 bits.
bool to_code(const Encoding& e, int feature, float x, int& code) {
  const float value = multiply_add(e.gain[feature], x, e.shift[feature]);
  if (!(value > -2147483648.0f && value < 2147483648.0f)) return false;
  float rounded = std::nearbyintf(value);
  if (e.regrid) {
    const float low = rounded < e.in_low ? e.in_low : rounded;
    rounded = std::nearbyintf((low > e.in_high ? e.in_high : low) * e.ratio);
  }
  code = static_cast<int>(rounded);
  return true;
}

// Puts one clamped code into its word; the words of a tile start at zero.
void put(const Encoding& e, int feature, int sample, int code, std::uint32_t* codes, int stride) {
  const int per_word = codes_per_word(e.size);
  const int kept = std::clamp(code, e.low, e.high);
  const std::uint32_t bits = e.size == CodeSize::Bytes ? static_cast<std::uint8_t>(kept - e.low)
                                                       : static_cast<std::uint16_t>(kept);
  codes[feature / per_word * stride + sample] |= bits << (feature % per_word * (32 / per_word));
}

void clear(std::uint32_t* codes, int features, CodeSize size, int n, int stride) {
  const int padded = (n + kBlock - 1) / kBlock * kBlock;
  for (int k = 0; k < words_of(features, size); ++k) std::fill_n(codes + k * stride, padded, 0u);
}

bool encode_rows(const Encoding& encoding, const float* table, const std::uint32_t* rows, int n,
                 int features, std::uint32_t* codes, int stride) {
  clear(codes, features, encoding.size, n, stride);
  const std::int64_t width = features;
  for (int s = 0; s < n; ++s) {
    const float* row = table + (rows ? rows[s] : static_cast<std::uint32_t>(s)) * width;
    for (int f = 0; f < features; ++f) {
      int code = 0;
      if (!to_code(encoding, f, row[f], code)) return false;
      put(encoding, f, s, code, codes, stride);
    }
  }
  return true;
}

bool encode(const Encoding& encoding, const float* x, int features, int n, std::uint32_t* codes,
            int stride) {
  clear(codes, features, encoding.size, n, stride);
  for (int f = 0; f < features; ++f) {
    for (int s = 0; s < n; ++s) {
      int code = 0;
      if (!to_code(encoding, f, x[f * stride + s], code)) return false;
      put(encoding, f, s, code, codes, stride);
    }
  }
  return true;
}

// sums[i] of one output for the samples from `first` on.
void sum(const IntegerLayer& layer, int output, const std::uint32_t* x, int first, int stride,
         std::int32_t (&sums)[kBlock]) {
  const int group = output / 4 * 4;
  const int wide = std::min(4, layer.outputs - group);
  const std::int32_t* w = layer.weight + group * layer.words + output - group;
  std::fill_n(sums, kBlock, layer.start[output]);
  for (int k = 0; k < layer.words; ++k) {
    const auto weights = static_cast<std::uint32_t>(w[k * wide]);
    const std::uint32_t* codes = x + k * stride + first;
    if (layer.size == CodeSize::Bytes) {
      for (int b = 0; b < 32; b += 8) {
        const auto weight = static_cast<std::int8_t>(weights >> b);
        for (int i = 0; i < kBlock; ++i) sums[i] += weight * static_cast<int>(codes[i] >> b & 255u);
      }
    } else {
      for (int b = 0; b < 32; b += 16) {
        const int weight = static_cast<std::int16_t>(weights >> b);
        for (int i = 0; i < kBlock; ++i) {
          sums[i] += weight * static_cast<std::int16_t>(codes[i] >> b);
        }
      }
    }
  }
}

void linear_codes(const IntegerLayer& layer, const std::uint32_t* x, const Encoding& encoding,
                  std::uint32_t* codes, int n, int stride, ReadAhead& /*ahead*/) {
  clear(codes, layer.outputs, encoding.size, n, stride);
  for (int first = 0; first < n; first += kBlock) {
    for (int o = 0; o < layer.outputs; ++o) {
      std::int32_t sums[kBlock];
      sum(layer, o, x, first, stride, sums);
      for (int i = 0; i < kBlock; ++i) {
        int code = 0;
        to_code(encoding, o, static_cast<float>(sums[i]), code);
        put(encoding, o, first + i, code, codes, stride);
      }
    }
  }
}

void linear_floats(const IntegerLayer& layer, const std::uint32_t* x, const Decoding& decoding,
                   float* y, int n, int stride, ReadAhead& /*ahead*/) {
  for (int first = 0; first < n; first += kBlock) {
    for (int o = 0; o < layer.outputs; ++o) {
      std::int32_t sums[kBlock];
      sum(layer, o, x, first, stride, sums);
      for (int i = 0; i < kBlock; ++i) {
        const float value =
            multiply_add(decoding.gain[o], static_cast<float>(sums[i]), decoding.shift[o]);
        const float low = value < decoding.low ? decoding.low : value;
        y[o * stride + first + i] = low > decoding.high ? decoding.high : low;
      }
    }
  }
}

}  // namespace

extern const IntegerKernels kIntegerTable;
const IntegerKernels kIntegerTable{
    .name = "portable",
    .adds_in_16_bits = false,
    .encode_rows = encode_rows,
    .encode = encode,
    .linear_codes = linear_codes,
    .linear_floats = linear_floats,
};

}  // namespace mase::engine::native::portable
