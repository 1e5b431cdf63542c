// Integer kernels with vectors: blocks of four outputs by two vectors of samples, weights
// broadcast by words. Bytes are multiplied in pairs (vpmaddubsw) and added in 16 bits as far as the
// plan has proven that nothing overflows, or in fours (vpdpbusd); the sums go through one fused
// multiply-add and are packed straight into the layout that the next layer reads.
#include "mase/engine/native/integer_kernels.h"

#include <algorithm>
#include <limits>

#include "mase/engine/native/integer_simd.h"

#define MASE_TEXT_OF(x) #x
#define MASE_TEXT(x) MASE_TEXT_OF(x)

namespace mase::engine::native::MASE_ISA {
namespace {

enum class Sum {
  Whole16,  // all products of an output in 16 bits
  Runs16,   // runs of them, widened in between
  Bytes32,  // every four products widened
  Halves,
};

// sums[r][c] of outputs r and vectors c of samples; w, start and start16 begin at the block.
template <Sum S, int R, int C>
inline void accumulate(const IntegerLayer& layer, const std::int32_t* w, int output,
                       const std::uint32_t* x, int stride, Ints (&sums)[R][C]) {
  const std::int32_t* start = (S == Sum::Whole16 ? layer.start16 : layer.start) + output;
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) sums[r][c] = splat(start[r]);
  }
  const auto word = [&](int k, auto&& add) {
    Ints in[C];
    for (int c = 0; c < C; ++c) in[c] = load(x + k * stride + c * kWords);
    for (int r = 0; r < R; ++r) {
      const Ints weight = splat(w[k * R + r]);
      for (int c = 0; c < C; ++c) add(r, c, in[c], weight);
    }
  };
  if constexpr (S == Sum::Whole16) {
    for (int k = 0; k < layer.words; ++k) {
      word(k, [&](int r, int c, Ints in, Ints weight) {
        sums[r][c] = add16(sums[r][c], pairs_of_bytes(in, weight));
      });
    }
    for (int r = 0; r < R; ++r) {
      for (int c = 0; c < C; ++c) sums[r][c] = pairs_of_halves(sums[r][c], splat16(1));
    }
  } else if constexpr (S == Sum::Runs16) {
    for (int k = 0; k < layer.words;) {
      const int end = std::min(k + layer.run, layer.words);
      Ints part[R][C];
      word(k++,
           [&](int r, int c, Ints in, Ints weight) { part[r][c] = pairs_of_bytes(in, weight); });
      for (; k < end; ++k) {
        word(k, [&](int r, int c, Ints in, Ints weight) {
          part[r][c] = add16(part[r][c], pairs_of_bytes(in, weight));
        });
      }
      for (int r = 0; r < R; ++r) {
        for (int c = 0; c < C; ++c) sums[r][c] = dot_halves(sums[r][c], part[r][c], splat16(1));
      }
    }
  } else {
    for (int k = 0; k < layer.words; ++k) {
      word(k, [&](int r, int c, Ints in, Ints weight) {
        sums[r][c] = S == Sum::Halves ? dot_halves(sums[r][c], in, weight)
                                      : dot_bytes(sums[r][c], in, weight);
      });
    }
  }
}

struct EncodingVectors {
  explicit EncodingVectors(const Encoding& e)
      : in_low(splat(e.in_low)),
        in_high(splat(e.in_high)),
        ratio(splat(e.ratio)),
        low(splat16(e.low)),
        high(splat16(e.high)),
        span(splat8(e.high - e.low)),
        shifted(e.low != 0) {}
  Floats in_low, in_high, ratio;
  Ints low, high, span;
  bool shifted;  // the lowest code is not 0
};

// Codes before clamping; `lowest` keeps the smallest, which tells values without a code.
template <bool Regrid>
inline Ints encoded(Floats value, const EncodingVectors& e, Ints* lowest) {
  const Ints code = to_int(value);
  if (lowest) *lowest = min32(*lowest, code);
  if constexpr (!Regrid) return code;
  return to_int(mul(at_most(at_least(to_float(code), e.in_low), e.in_high), e.ratio));
}

// Four vectors of codes of neighbouring features, clamped, as words [sample][feature].
inline Ints words_of_bytes(const Ints (&code)[4], const EncodingVectors& e) {
  Ints a = pack32(code[0], code[1]);
  Ints b = pack32(code[2], code[3]);
  if (e.shifted) {
    a = subtract16(a, e.low);
    b = subtract16(b, e.low);
  }
  const Ints bytes = min_unsigned8(pack16(a, b), e.span);
  return shuffle8(bytes,
                  repeat(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)));
}

inline Ints words_of_halves(Ints first, Ints second, const EncodingVectors& e) {
  const Ints halves = min16(max16(pack32(first, second), e.low), e.high);
  return shuffle8(halves,
                  repeat(_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15)));
}

// Writes the codes of up to four features from `feature`, a multiple of four.
template <CodeSize Size>
inline void store_codes(const Ints (&code)[4], int feature, int features, const EncodingVectors& e,
                        std::uint32_t* codes, int sample, int stride) {
  if constexpr (Size == CodeSize::Bytes) {
    store(codes + feature / 4 * stride + sample, words_of_bytes(code, e));
  } else {
    std::uint32_t* to = codes + feature / 2 * stride + sample;
    store(to, words_of_halves(code[0], code[1], e));
    if (feature + 2 < features) store(to + stride, words_of_halves(code[2], code[3], e));
  }
}

template <CodeSize Size, bool Regrid>
struct Encoder {
  Encoder(const IntegerLayer& layer, const Encoding& encoding, std::uint32_t* codes, int stride)
      : encoding(encoding), vectors(encoding), outputs(layer.outputs), to(codes), stride(stride) {}
  template <int R, int C>
  void operator()(const Ints (&sums)[R][C], int output, int sample) const {
    Ints code[C][4] = {};
    for (int r = 0; r < R; ++r) {
      const Floats gain = splat(encoding.gain[output + r]);
      const Floats shift = splat(encoding.shift[output + r]);
      for (int c = 0; c < C; ++c) {
        code[c][r] = encoded<Regrid>(fma(gain, to_float(sums[r][c]), shift), vectors, nullptr);
      }
    }
    for (int c = 0; c < C; ++c) {
      store_codes<Size>(code[c], output, outputs, vectors, to, sample + c * kWords, stride);
    }
  }
  const Encoding& encoding;
  EncodingVectors vectors;
  int outputs;
  std::uint32_t* to;
  int stride;
};

struct Decoder {
  template <int R, int C>
  void operator()(const Ints (&sums)[R][C], int output, int sample) const {
    const Floats low = splat(decoding.low);
    const Floats high = splat(decoding.high);
    for (int r = 0; r < R; ++r) {
      const Floats gain = splat(decoding.gain[output + r]);
      const Floats shift = splat(decoding.shift[output + r]);
      for (int c = 0; c < C; ++c) {
        const Floats value = fma(gain, to_float(sums[r][c]), shift);
        store(to + (output + r) * stride + sample + c * kWords,
              at_most(at_least(value, low), high));
      }
    }
  }
  const Decoding& decoding;
  float* to;
  int stride;
};

template <Sum S, int R, typename Finish>
inline void outputs(const IntegerLayer& layer, int output, const std::uint32_t* x, int n,
                    int stride, const Finish& finish) {
  const std::int32_t* w = layer.weight + output * layer.words;
  int s = 0;
  // Runs need two sets of sums: only one vector of samples fits the registers.
  constexpr int kWide = S == Sum::Runs16 && kWords == 8 ? 1 : 2;
  for (; s + (kWide - 1) * kWords < n; s += kWide * kWords) {
    Ints sums[R][kWide];
    accumulate<S>(layer, w, output, x + s, stride, sums);
    finish(sums, output, s);
  }
  if (s >= n) return;
  Ints sums[R][1];
  accumulate<S>(layer, w, output, x + s, stride, sums);
  finish(sums, output, s);
}

template <Sum S, typename Finish>
void layer_of(const IntegerLayer& layer, const std::uint32_t* x, int n, int stride,
              const Finish& finish) {
  int o = 0;
  for (; o + 4 <= layer.outputs; o += 4) outputs<S, 4>(layer, o, x, n, stride, finish);
  if (layer.outputs - o == 3) outputs<S, 3>(layer, o, x, n, stride, finish);
  if (layer.outputs - o == 2) outputs<S, 2>(layer, o, x, n, stride, finish);
  if (layer.outputs - o == 1) outputs<S, 1>(layer, o, x, n, stride, finish);
}

template <typename Finish>
void linear(const IntegerLayer& layer, const std::uint32_t* x, int n, int stride,
            const Finish& finish) {
  if (layer.size == CodeSize::Halves) return layer_of<Sum::Halves>(layer, x, n, stride, finish);
#if !defined(MASE_VNNI)
  if (layer.start16) return layer_of<Sum::Whole16>(layer, x, n, stride, finish);
  if (layer.run > 1) return layer_of<Sum::Runs16>(layer, x, n, stride, finish);
#endif
  layer_of<Sum::Bytes32>(layer, x, n, stride, finish);
}

template <CodeSize Size, bool Regrid>
bool encode_tile(const Encoding& encoding, const float* x, int features, int n,
                 std::uint32_t* codes, int stride) {
  const EncodingVectors vectors(encoding);
  Ints lowest = splat(0);
  for (int f = 0; f < features; f += 4) {
    const int count = std::min(4, features - f);
    for (int s = 0; s < n; s += kWords) {
      Ints code[4] = {splat(0), splat(0), splat(0), splat(0)};
      for (int r = 0; r < count; ++r) {
        const Floats value = fma(splat(encoding.gain[f + r]), load(x + (f + r) * stride + s),
                                 splat(encoding.shift[f + r]));
        code[r] = encoded<Regrid>(value, vectors, &lowest);
      }
      store_codes<Size>(code, f, features, vectors, codes, s, stride);
    }
  }
  return !any_lowest(lowest);
}

// Rows are encoded as they lie and only the words of four codes are transposed, with 256-bit
// vectors whatever the instruction set.
struct RowEncoder {
  explicit RowEncoder(const Encoding& e)
      : in_low(_mm256_set1_ps(e.in_low)),
        in_high(_mm256_set1_ps(e.in_high)),
        ratio(_mm256_set1_ps(e.ratio)),
        low(_mm256_set1_epi16(static_cast<short>(e.low))),
        span(_mm256_set1_epi8(static_cast<char>(e.high - e.low))),
        lowest{_mm256_setzero_si256(), _mm256_setzero_si256()} {}

  template <bool Regrid>
  __m256i codes(__m256 x, __m256 gain, __m256 shift, int half) {
    const __m256i code = _mm256_cvtps_epi32(_mm256_fmadd_ps(gain, x, shift));
    lowest[half] = _mm256_min_epi32(lowest[half], code);
    if constexpr (!Regrid) return code;
    const __m256 kept = _mm256_min_ps(in_high, _mm256_max_ps(in_low, _mm256_cvtepi32_ps(code)));
    return _mm256_cvtps_epi32(_mm256_mul_ps(kept, ratio));
  }

  // Two rows of 16 codes: words 0, 2 of either in the lower lane, 1, 3 in the upper.
  __m256i two_rows(__m256i first, __m256i second) const {
    return _mm256_min_epu8(
        _mm256_packus_epi16(_mm256_subs_epi16(first, low), _mm256_subs_epi16(second, low)), span);
  }

  bool found_lowest() const {
    const __m256i least = _mm256_min_epi32(lowest[0], lowest[1]);
    const __m256i found =
        _mm256_cmpeq_epi32(least, _mm256_set1_epi32(std::numeric_limits<std::int32_t>::min()));
    return !_mm256_testz_si256(found, found);
  }

  __m256 in_low, in_high, ratio;
  __m256i low, span;
  __m256i lowest[2];  // two chains of minima, for two of them at a time
};

__m256i lane_mask(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// Eight rows, sixteen features from f of which `left` exist, to the words of `to` on.
template <bool Regrid, bool Whole>
inline void encode_block(RowEncoder& encoder, const Encoding& encoding, const float* const* rows,
                         int f, int left, std::uint32_t* to, int stride) {
  const __m256 gain[2] = {_mm256_loadu_ps(encoding.gain + f),
                          _mm256_loadu_ps(encoding.gain + f + 8)};
  const __m256 shift[2] = {_mm256_loadu_ps(encoding.shift + f),
                           _mm256_loadu_ps(encoding.shift + f + 8)};
  const __m256i mask[2] = {lane_mask(left), lane_mask(left - 8)};
  const auto half = [&](int row, int h) {
    const float* from = rows[row] + f + 8 * h;
    const __m256 x = Whole ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, mask[h]);
    return encoder.codes<Regrid>(x, gain[h], shift[h], h);
  };
  __m256 pair[4];
  for (int i = 0; i < 4; ++i) {
    const __m256i first = _mm256_packs_epi32(half(2 * i, 0), half(2 * i, 1));
    const __m256i second = _mm256_packs_epi32(half(2 * i + 1, 0), half(2 * i + 1, 1));
    pair[i] = _mm256_castsi256_ps(encoder.two_rows(first, second));
  }
  const __m256i even[2] = {_mm256_castps_si256(_mm256_shuffle_ps(pair[0], pair[1], 0x88)),
                           _mm256_castps_si256(_mm256_shuffle_ps(pair[2], pair[3], 0x88))};
  const __m256i odd[2] = {_mm256_castps_si256(_mm256_shuffle_ps(pair[0], pair[1], 0xdd)),
                          _mm256_castps_si256(_mm256_shuffle_ps(pair[2], pair[3], 0xdd))};
  const __m256i words[4] = {_mm256_permute2x128_si256(even[0], even[1], 0x20),
                            _mm256_permute2x128_si256(even[0], even[1], 0x31),
                            _mm256_permute2x128_si256(odd[0], odd[1], 0x20),
                            _mm256_permute2x128_si256(odd[0], odd[1], 0x31)};
  for (int k = 0; k < 4 && 4 * k < left; ++k) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to + k * stride), words[k]);
  }
}

// row(s) is where that of sample s lies.
template <bool Regrid, typename Row>
bool encode_table(const Encoding& encoding, int n, int features, std::uint32_t* codes, int stride,
                  const Row& row) {
  RowEncoder encoder(encoding);
  for (int s = 0; s < n; s += 8) {
    const float* at[8];
    if (s + 8 <= n) {
      for (int i = 0; i < 8; ++i) at[i] = row(s + i);
    } else {  // the last row is repeated
      for (int i = 0; i < 8; ++i) at[i] = row(std::min(s + i, n - 1));
    }
    for (int f = 0; f < features; f += 16) {
      std::uint32_t* to = codes + f / 4 * stride + s;
      if (features - f >= 16) {
        encode_block<Regrid, true>(encoder, encoding, at, f, 16, to, stride);
      } else {
        encode_block<Regrid, false>(encoder, encoding, at, f, features - f, to, stride);
      }
    }
  }
  return !encoder.found_lowest();
}

bool encode_rows(const Encoding& encoding, const float* table, const std::uint32_t* rows, int n,
                 int features, std::uint32_t* codes, int stride) {
  const std::int64_t width = features;
  const auto encode = [&](const auto& row) {
    return encoding.regrid ? encode_table<true>(encoding, n, features, codes, stride, row)
                           : encode_table<false>(encoding, n, features, codes, stride, row);
  };
  if (rows) return encode([&](int s) { return table + rows[s] * width; });
  return encode([&](int s) { return table + s * width; });
}

bool encode(const Encoding& encoding, const float* x, int features, int n, std::uint32_t* codes,
            int stride) {
  constexpr decltype(&encode_tile<CodeSize::Bytes, false>) kForms[] = {
      encode_tile<CodeSize::Bytes, false>, encode_tile<CodeSize::Bytes, true>,
      encode_tile<CodeSize::Halves, false>, encode_tile<CodeSize::Halves, true>};
  const int form = (encoding.size == CodeSize::Halves ? 2 : 0) + (encoding.regrid ? 1 : 0);
  return kForms[form](encoding, x, features, n, codes, stride);
}

template <CodeSize Size, bool Regrid>
void linear_encoded(const IntegerLayer& layer, const std::uint32_t* x, const Encoding& encoding,
                    std::uint32_t* codes, int n, int stride) {
  linear(layer, x, n, stride, Encoder<Size, Regrid>(layer, encoding, codes, stride));
}

void linear_codes(const IntegerLayer& layer, const std::uint32_t* x, const Encoding& encoding,
                  std::uint32_t* codes, int n, int stride) {
  constexpr decltype(&linear_encoded<CodeSize::Bytes, false>) kForms[] = {
      linear_encoded<CodeSize::Bytes, false>, linear_encoded<CodeSize::Bytes, true>,
      linear_encoded<CodeSize::Halves, false>, linear_encoded<CodeSize::Halves, true>};
  const int form = (encoding.size == CodeSize::Halves ? 2 : 0) + (encoding.regrid ? 1 : 0);
  kForms[form](layer, x, encoding, codes, n, stride);
}

void linear_floats(const IntegerLayer& layer, const std::uint32_t* x, const Decoding& decoding,
                   float* y, int n, int stride) {
  linear(layer, x, n, stride, Decoder{decoding, y, stride});
}

}  // namespace

extern const IntegerKernels kIntegerTable;
const IntegerKernels kIntegerTable {
  .name = MASE_TEXT(MASE_ISA),
#if defined(MASE_VNNI)
  .adds_in_16_bits = false,
#else
  .adds_in_16_bits = true,
#endif
  .encode_rows = encode_rows, .encode = encode, .linear_codes = linear_codes,
  .linear_floats = linear_floats,
};

}  // namespace mase::engine::native::MASE_ISA
