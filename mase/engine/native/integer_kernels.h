#pragma once

#include <cstdint>
#include <string_view>

#include "mase/engine/native/kernels.h"

// The integer arithmetic of quantised evaluation on one tile. Codes lie as [word][stride] arrays of
// 32-bit words, a word holding neighbouring features of one sample, so that one broadcast of
// weights meets a vector of samples. Strides are multiples of 16, pointers aligned to 64 bytes;
// samples from n up to the next multiple of 16 are computed too and mean nothing.
namespace mase::engine::native {

enum class CodeSize {
  Bytes,   // four to a word, each the code less the lowest code: 0..255
  Halves,  // two to a word, signed 16-bit codes
};

constexpr int codes_per_word(CodeSize size) {
  return size == CodeSize::Bytes ? 4 : 2;
}
constexpr int words_of(int features, CodeSize size) {
  return (features + codes_per_word(size) - 1) / codes_per_word(size);
}

// code = clamp(round(gain * x + shift), low, high), the scale of the grid multiplied into gain and
// shift. With `regrid` the rounded value first lies on another grid: it is clamped to in_low and
// in_high and multiplied by `ratio` (in.step * out.scale), then rounded again.
struct Encoding {
  const float* gain = nullptr;  // per feature, zeros up to the next multiple of 16
  const float* shift = nullptr;
  bool regrid = false;
  float in_low = 0;
  float in_high = 0;
  float ratio = 1;
  int low = 0;  // -32768 .. 32767, at most 255 apart for bytes
  int high = 0;
  CodeSize size = CodeSize::Bytes;
};

// y = clamp(gain * x + shift, low, high), bounds may be infinite.
struct Decoding {
  const float* gain = nullptr;  // per feature
  const float* shift = nullptr;
  float low = 0;
  float high = 0;
};

// The sums of a linear layer: start[o] + sum_i weight[o][i] code[i].
struct IntegerLayer {
  CodeSize size = CodeSize::Bytes;  // of the codes it reads
  int words = 0;                    // per output
  int outputs = 0;
  // Words of weights, four bytes or two halves: [group of 4 outputs][word][output], the last group
  // as narrow as it is.
  const std::int32_t* weight = nullptr;
  const std::int32_t* start = nullptr;  // per output
  // Bytes, where products are added in 16 bits: so many words may be added up before widening.
  int run = 1;
  // Two 16-bit numbers per output that add up to start[o] and may stand at the start of 16-bit
  // sums; null if there are none. Only with run >= words.
  const std::int32_t* start16 = nullptr;
};

struct IntegerKernels {
  std::string_view name;  // "portable", "avx2", "avx512", "avx512vnni"
  // Whether products of bytes are added in 16 bits, so that IntegerLayer::run must hold.
  bool adds_in_16_bits = false;

  // Rows of a sample-major table to bytes (encoding.size is Bytes); null: its first n rows. False
  // if some value is NaN or has no 32-bit code before clamping: the codes then mean nothing.
  bool (*encode_rows)(const Encoding& encoding, const float* table, const std::uint32_t* rows,
                      int n, int features, std::uint32_t* codes, int stride);
  // The same from a tile [feature][stride], to either size.
  bool (*encode)(const Encoding& encoding, const float* x, int features, int n,
                 std::uint32_t* codes, int stride);
  // A layer and the encoding of its sums for the next one. Every gain * sum + shift must lie within
  // 32 bits.
  void (*linear_codes)(const IntegerLayer& layer, const std::uint32_t* x, const Encoding& encoding,
                       std::uint32_t* codes, int n, int stride, ReadAhead& ahead);
  // A layer whose sums become floats.
  void (*linear_floats)(const IntegerLayer& layer, const std::uint32_t* x, const Decoding& decoding,
                        float* y, int n, int stride, ReadAhead& ahead);
};

// The best set this machine runs among those that round as `kernels` do (same fused or separate
// multiply-add).
const IntegerKernels& integer_kernels(const Kernels& kernels);
// For tests: by name; null if this machine or build does not have it.
const IntegerKernels* find_integer_kernels(std::string_view name);

}  // namespace mase::engine::native
