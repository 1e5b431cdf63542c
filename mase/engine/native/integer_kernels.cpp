// Integer kernels with vectors: blocks of four outputs by two vectors of samples, weights
// broadcast by words. Bytes are multiplied in pairs (vpmaddubsw) and added in 16 bits as far as the
// plan has proven that nothing overflows, or in fours (vpdpbusd); the sums go through one fused
// multiply-add and are packed straight into the layout that the next layer reads.
#include "mase/engine/native/integer_kernels.h"

#include <algorithm>

#include "mase/engine/native/integer_simd.h"
#include "mase/engine/native/read_ahead.h"

#define MASE_TEXT_OF(x) #x
#define MASE_TEXT(x) MASE_TEXT_OF(x)

#if defined(__clang__)
#define MASE_UNROLL_WORDS  // it does so unasked
#else
#define MASE_UNROLL_WORDS _Pragma("GCC unroll 4")
#endif

namespace mase::engine::native::MASE_ISA {
namespace {

enum class Sum {
  Whole16,  // all products of an output in 16 bits
  Runs16,   // runs of them, widened in between
  Bytes32,  // every four products widened
  Halves,
};

// Products of the codes of a word added to a sum.
template <Sum S>
inline Ints add_products(Ints sum, Ints codes, Ints weight) {
  if constexpr (S == Sum::Halves) return dot_halves(sum, codes, weight);
  if constexpr (S == Sum::Bytes32) return dot_bytes(sum, codes, weight);
  return add16(sum, pairs_of_bytes(codes, weight));
}

template <Sum S, int R, int C>
[[gnu::always_inline]] inline void add_word(const std::int32_t* w, const std::uint32_t* x,
                                            Ints (&sums)[R][C]) {
  Ints codes[C];
  for (int c = 0; c < C; ++c) codes[c] = load(x + c * kWords);
  for (int r = 0; r < R; ++r) {
    const Ints weight = splat(w[r]);
    for (int c = 0; c < C; ++c) {
      sums[r][c] = add_products<S>(sums[r][c], codes[c], weight);
      pin(sums[r][c]);
    }
  }
}

// sums[r][c] of outputs r and vectors c of samples; w, start and start16 begin at the block. Layers
// of W words, or where W is 0 of as many as the layer says, at least one.
template <Sum S, int W, int R, int C>
[[gnu::always_inline]] inline void accumulate(const IntegerLayer& layer, const std::int32_t* w,
                                              int output, const std::uint32_t* x, int stride,
                                              Ints (&sums)[R][C]) {
  const std::int32_t* start = (S == Sum::Whole16 ? layer.start16 : layer.start) + output;
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) sums[r][c] = splat(start[r]);
  }
  if constexpr (S == Sum::Runs16) {
    int k = 0;
    do {
      const int end = std::min(k + layer.run, layer.words);
      Ints part[R][C] = {};
      do add_word<S>(w + k * R, x + k * stride, part);
      while (++k < end);
      for (int r = 0; r < R; ++r) {
        for (int c = 0; c < C; ++c) sums[r][c] = dot_halves(sums[r][c], part[r][c], splat16(1));
      }
    } while (k < layer.words);
  } else if constexpr (W > 0) {
    MASE_UNROLL_WORDS
    for (int k = 0; k < W; ++k) add_word<S>(w + k * R, x + k * stride, sums);
  } else {
    int k = 0;
    do add_word<S>(w + k * R, x + k * stride, sums);
    while (++k < layer.words);
  }
  if constexpr (S == Sum::Whole16) {
    for (int r = 0; r < R; ++r) {
      for (int c = 0; c < C; ++c) sums[r][c] = pairs_of_halves(sums[r][c], splat16(1));
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
        signs(splat8(-128)),
        is_signed(e.low == -128),
        is_shifted(e.low != 0) {}
  Floats in_low, in_high, ratio;
  Ints low, high, span, signs;
  bool is_signed;   // the lowest code is that of a signed byte
  bool is_shifted;  // or at least not 0
};

// Codes before clamping; `lowest` keeps the smallest, which tells values without a code.
template <bool Regrid>
[[gnu::always_inline]] inline Ints encoded(Floats value, const EncodingVectors& e, Ints* lowest) {
  const Ints code = to_int(value);
  if (lowest) *lowest = min32(*lowest, code);
  if constexpr (!Regrid) return code;
  return to_int(mul(at_most(at_least(to_float(code), e.in_low), e.in_high), e.ratio));
}

// Two vectors of 16-bit codes as bytes above the lowest code, clamped.
[[gnu::always_inline]] inline Ints bytes_of(Ints a, Ints b, const EncodingVectors& e) {
  if (e.is_signed) return min_unsigned8(flip(pack16_signed(a, b), e.signs), e.span);
  if (e.is_shifted) {
    a = subtract16(a, e.low);
    b = subtract16(b, e.low);
  }
  return min_unsigned8(pack16(a, b), e.span);
}

// Four vectors of codes of neighbouring features, clamped, as words [sample][feature].
[[gnu::always_inline]] inline Ints words_of_bytes(const Ints (&code)[4], const EncodingVectors& e) {
  const Ints bytes = bytes_of(pack32(code[0], code[1]), pack32(code[2], code[3]), e);
  return shuffle8(bytes,
                  repeat(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)));
}

[[gnu::always_inline]] inline Ints words_of_halves(Ints first, Ints second,
                                                   const EncodingVectors& e) {
  const Ints halves = min16(max16(pack32(first, second), e.low), e.high);
  return shuffle8(halves,
                  repeat(_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15)));
}

// Writes the codes of up to four features from `feature`, a multiple of four.
template <CodeSize Size>
[[gnu::always_inline]] inline void store_codes(const Ints (&code)[4], int feature, int features,
                                               const EncodingVectors& e, std::uint32_t* codes,
                                               int sample, int stride) {
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
  [[gnu::always_inline]] void operator()(const Ints (&sums)[R][C], int output, int sample) const {
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
  [[gnu::always_inline]] void operator()(const Ints (&sums)[R][C], int output, int sample) const {
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

template <Sum S, int W, int R, typename Finish>
inline void outputs(const IntegerLayer& layer, int output, const std::uint32_t* x, int n,
                    int stride, const Finish& finish, ReadAhead& ahead) {
  const std::int32_t* w = layer.weight + output * layer.words;
  int s = 0;
  // Runs need two sets of sums: only one vector of samples fits the registers.
  constexpr int kWide = S == Sum::Runs16 && kWords == 8 ? 1 : 2;
  for (; s + (kWide - 1) * kWords < n; s += kWide * kWords) {
    fetch_some(ahead);
    Ints sums[R][kWide];
    accumulate<S, W>(layer, w, output, x + s, stride, sums);
    finish(sums, output, s);
  }
  if (s >= n) return;
  Ints sums[R][1];
  accumulate<S, W>(layer, w, output, x + s, stride, sums);
  finish(sums, output, s);
}

template <Sum S, int W, typename Finish>
void layer_of_words(const IntegerLayer& layer, const std::uint32_t* x, int n, int stride,
                    const Finish& finish, ReadAhead& ahead) {
  int o = 0;
  for (; o + 4 <= layer.outputs; o += 4) outputs<S, W, 4>(layer, o, x, n, stride, finish, ahead);
  if (layer.outputs - o == 3) outputs<S, W, 3>(layer, o, x, n, stride, finish, ahead);
  if (layer.outputs - o == 2) outputs<S, W, 2>(layer, o, x, n, stride, finish, ahead);
  if (layer.outputs - o == 1) outputs<S, W, 1>(layer, o, x, n, stride, finish, ahead);
}

template <Sum S, typename Finish>
void layer_of(const IntegerLayer& layer, const std::uint32_t* x, int n, int stride,
              const Finish& finish, ReadAhead& ahead) {
#if defined(MASE_VNNI)
  constexpr Sum kNarrow = Sum::Bytes32;
#else
  constexpr Sum kNarrow = Sum::Whole16;
#endif
  if constexpr (S == kNarrow) {  // the narrow layers of small networks, without a loop
    if (layer.words == 2) return layer_of_words<S, 2>(layer, x, n, stride, finish, ahead);
    if (layer.words == 4) return layer_of_words<S, 4>(layer, x, n, stride, finish, ahead);
  }
  layer_of_words<S, 0>(layer, x, n, stride, finish, ahead);
}

template <typename Finish>
void linear(const IntegerLayer& layer, const std::uint32_t* x, int n, int stride,
            const Finish& finish, ReadAhead& ahead) {
  if (layer.size == CodeSize::Halves)
    return layer_of<Sum::Halves>(layer, x, n, stride, finish, ahead);
#if !defined(MASE_VNNI)
  if (layer.start16) return layer_of<Sum::Whole16>(layer, x, n, stride, finish, ahead);
  if (layer.run > 1) return layer_of<Sum::Runs16>(layer, x, n, stride, finish, ahead);
#endif
  layer_of<Sum::Bytes32>(layer, x, n, stride, finish, ahead);
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

// Where values without a code show. Exact: the smallest code. Otherwise that of the codes packed to
// 16 bits, where -32768 also stands for all codes below.
template <bool Exact>
struct Lowest {
  Ints code = splat(0);
  bool found() const {
    if constexpr (Exact) return any_lowest(code);
    return any_lowest16(code);
  }
};

// kWords rows, as many features from f of which `left` exist, to the words of `to` on. Rows are
// encoded as they lie and only the words of four codes are transposed.
template <bool Regrid, bool Exact, bool Whole>
inline void encode_block(const Encoding& encoding, const EncodingVectors& vectors,
                         const float* const* rows, int f, int left, Lowest<Exact>& lowest,
                         std::uint32_t* to, int stride) {
  const Floats gain = load_unaligned(encoding.gain + f);
  const Floats shift = load_unaligned(encoding.shift + f);
  Ints words[kWords / 4];  // of four rows, then of four features
  for (int i = 0; i < kWords / 4; ++i) {
    Ints code[4];
    for (int r = 0; r < 4; ++r) {
      const float* from = rows[4 * i + r] + f;
      const Floats x = Whole ? load_unaligned(from) : load_first(from, left);
      code[r] = encoded<Regrid>(fma(gain, x, shift), vectors, Exact ? &lowest.code : nullptr);
    }
    const Ints a = pack32(code[0], code[1]);
    const Ints b = pack32(code[2], code[3]);
    if constexpr (!Exact) lowest.code = min16(lowest.code, min16(a, b));
    words[i] = bytes_of(a, b, vectors);
  }
  transpose_parts(words);
  for (int k = 0; k < kWords / 4 && 4 * k < left; ++k) store(to + k * stride, words[k]);
}

// row(s) is where that of sample s lies.
template <bool Regrid, bool Exact, typename Row>
bool encode_table(const Encoding& encoding, int n, int features, std::uint32_t* codes, int stride,
                  const Row& row) {
  const EncodingVectors vectors(encoding);
  Lowest<Exact> lowest;
  for (int s = 0; s < n; s += kWords) {
    const float* at[kWords];
    if (s + kWords <= n) {
      for (int i = 0; i < kWords; ++i) at[i] = row(s + i);
    } else {  // the last row is repeated
      for (int i = 0; i < kWords; ++i) at[i] = row(std::min(s + i, n - 1));
    }
    for (int f = 0; f < features; f += kWords) {
      std::uint32_t* to = codes + f / 4 * stride + s;
      const int left = features - f;
      if (left >= kWords) {
        encode_block<Regrid, Exact, true>(encoding, vectors, at, f, kWords, lowest, to, stride);
      } else {
        encode_block<Regrid, Exact, false>(encoding, vectors, at, f, left, lowest, to, stride);
      }
    }
  }
  return !lowest.found();
}

bool encode_rows(const Encoding& encoding, const float* table, const std::uint32_t* rows, int n,
                 int features, std::uint32_t* codes, int stride) {
  const std::int64_t width = features;
  const auto encode = [&](const auto& row) {
    if (encoding.regrid) {
      return encode_table<true, true>(encoding, n, features, codes, stride, row);
    }
    return encode_table<false, false>(encoding, n, features, codes, stride, row) ||
           encode_table<false, true>(encoding, n, features, codes, stride, row);
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
                    std::uint32_t* codes, int n, int stride, ReadAhead& ahead) {
  linear(layer, x, n, stride, Encoder<Size, Regrid>(layer, encoding, codes, stride), ahead);
}

void linear_codes(const IntegerLayer& layer, const std::uint32_t* x, const Encoding& encoding,
                  std::uint32_t* codes, int n, int stride, ReadAhead& ahead) {
  constexpr decltype(&linear_encoded<CodeSize::Bytes, false>) kForms[] = {
      linear_encoded<CodeSize::Bytes, false>, linear_encoded<CodeSize::Bytes, true>,
      linear_encoded<CodeSize::Halves, false>, linear_encoded<CodeSize::Halves, true>};
  const int form = (encoding.size == CodeSize::Halves ? 2 : 0) + (encoding.regrid ? 1 : 0);
  kForms[form](layer, x, encoding, codes, n, stride, ahead);
}

void linear_floats(const IntegerLayer& layer, const std::uint32_t* x, const Decoding& decoding,
                   float* y, int n, int stride, ReadAhead& ahead) {
  linear(layer, x, n, stride, Decoder{decoding, y, stride}, ahead);
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
