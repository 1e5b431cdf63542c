#pragma once

// The vector type of the instruction set this file is compiled for, and the few operations on it
// that C++ has no spelling for. Kernels are written once against it and compiled per instruction
// set (CMakeLists.txt); -ffp-contract is off, so every fused multiply-add is one of these calls.

#include <cmath>
#include <cstdint>
#include <cstring>

// MASE_EMULATED_512 (tests only): the 512-bit intrinsics come from an emulation included before.
#if defined(__AVX512F__) || defined(MASE_EMULATED_512)
#define MASE_SIMD_512 1
#endif

#if defined(MASE_SIMD_512) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#if defined(MASE_WIDE)
#include "mase/engine/native/simd_wide.h"
#endif

namespace mase::engine::native {
namespace {  // each instruction set has its own: identical names must not be merged by the linker

#if !defined(MASE_WIDE)
#if defined(MASE_SIMD_512)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float Vec __attribute__((vector_size(4 * kLanes), may_alias));
typedef std::int32_t IntVec __attribute__((vector_size(4 * kLanes), may_alias));
#endif

// How many vectors the machine's registers hold.
#if defined(MASE_SIMD_512)
constexpr int kRegisters = 32;
#elif defined(MASE_WIDE) && defined(__AVX2__)
constexpr int kRegisters = 8;
#elif defined(MASE_WIDE)
constexpr int kRegisters = 4;
#else
constexpr int kRegisters = 16;
#endif

// Half a vector of floats as doubles.
constexpr int kDoubles = kLanes / 2;
typedef float HalfVec __attribute__((vector_size(4 * kDoubles), may_alias));
typedef double DoubleVec __attribute__((vector_size(8 * kDoubles), may_alias));

inline Vec load(const float* p) {  // p aligned to the vector
  return *reinterpret_cast<const Vec*>(p);
}
inline Vec load_unaligned(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vec v) {
  *reinterpret_cast<Vec*>(p) = v;
}
#if !defined(MASE_WIDE)
inline Vec splat(float x) {
#if defined(MASE_SIMD_512)
  return (Vec)_mm512_set1_ps(x);
#elif defined(__AVX2__)
  return (Vec)_mm256_set1_ps(x);
#else
  return Vec{x, x, x, x};  // not Vec{} + x, which is an addition: 0 + x differs from x at -0
#endif
}
#endif

// Vectors that n samples take.
inline int vectors_of(int n) {
  return (n + kLanes - 1) / kLanes;
}

// Calls one(v) for every vector, two in a round: the loop itself is a third of the shortest bodies.
template <typename One>
inline void by_twos(int vectors, One one) {
  int v = 0;
  for (; v + 2 <= vectors; v += 2) {
    one(v);
    one(v + 1);
  }
  if (v < vectors) one(v);
}

// 0, 1, 2, ...
inline IntVec lane_numbers() {
  IntVec lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  return lane;
}

#if !defined(MASE_WIDE)
// kLanes bytes as integers.
inline IntVec widen(const std::uint8_t* p) {
#if defined(MASE_SIMD_512)
  return (IntVec)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#elif defined(__AVX2__)
  return (IntVec)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
#else
  return IntVec{p[0], p[1], p[2], p[3]};
#endif
}

// Whether any lane of a comparison holds.
inline bool any(IntVec mask) {
#if defined(MASE_SIMD_512)
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(__AVX2__)
  return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#else
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
}

// a * b + c, rounded once where the machine can.
inline Vec fma(Vec a, Vec b, Vec c) {
#if defined(MASE_SIMD_512)
  return (Vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (Vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__ARM_NEON)
  return (Vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

// As fma, also where the machine has none: a batch norm whose result is quantised must not fall on
// the other side of a rounding boundary on an older machine. (Double rounds a second time, which
// differs from one rounding in one of 2^29 cases.)
inline Vec fma_once(Vec a, Vec b, Vec c) {
#if defined(__AVX2__) || defined(__ARM_NEON)
  return fma(a, b, c);
#else
  Vec y;
  for (int i = 0; i < kLanes; ++i) {
    y[i] = static_cast<float>(static_cast<double>(a[i]) * b[i] + c[i]);
  }
  return y;
#endif
}

// To the nearest integer, ties to even.
inline Vec round_even(Vec x) {
#if defined(MASE_SIMD_512)
  return (Vec)_mm512_roundscale_ps((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif defined(__AVX2__)
  return (Vec)_mm256_round_ps((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  Vec y;
  for (int i = 0; i < kLanes; ++i) y[i] = std::nearbyintf(x[i]);
  return y;
#endif
}

inline Vec square_root(Vec x) {
#if defined(MASE_SIMD_512)
  return (Vec)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  return (Vec)_mm256_sqrt_ps((__m256)x);
#else
  Vec y;
  for (int i = 0; i < kLanes; ++i) y[i] = std::sqrt(x[i]);
  return y;
#endif
}
#endif

inline DoubleVec square_root(DoubleVec x) {
#if defined(MASE_WIDE)
  for (int i = 0; i < kDoubles; ++i) x[i] = std::sqrt(x[i]);
  return x;
#elif defined(MASE_SIMD_512)
  return (DoubleVec)_mm512_sqrt_pd((__m512d)x);
#elif defined(__AVX2__)
  return (DoubleVec)_mm256_sqrt_pd((__m256d)x);
#else
  DoubleVec y;
  for (int i = 0; i < kDoubles; ++i) y[i] = std::sqrt(x[i]);
  return y;
#endif
}

#if !defined(MASE_WIDE)
// The sum of the lanes, in an order of its own that never changes.
inline float sum(Vec v) {
#if defined(MASE_SIMD_512)
  return _mm512_reduce_add_ps((__m512)v);
#elif defined(__AVX2__)
  const __m256 all = (__m256)v;
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
#else
  return (v[0] + v[2]) + (v[1] + v[3]);
#endif
}

#if defined(MASE_SIMD_512)
// The sum of the four quarters.
inline __m128 quarters(__m512 v) {
  const __m256 halves = _mm256_add_ps(
      _mm512_castps512_ps256(v), _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)));
  return _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1));
}
// v[0] + v[2], w[0] + w[2], v[1] + v[3], w[1] + w[3], and so on for every quarter.
inline __m512 add_pairs(__m512 v, __m512 w) {
  return _mm512_add_ps(_mm512_unpacklo_ps(v, w), _mm512_unpackhi_ps(v, w));
}
#endif

// a = sum(v), b = sum(w): together they take the work of one and a half.
inline void sums(Vec v, Vec w, float& a, float& b) {
#if defined(MASE_SIMD_512)
  const __m128 both = quarters(add_pairs((__m512)v, (__m512)w));
  const __m128 done = _mm_add_ps(both, _mm_movehl_ps(both, both));
  a = _mm_cvtss_f32(done);
  b = _mm_cvtss_f32(_mm_movehdup_ps(done));
#elif defined(__AVX2__)
  const __m256 pairs = _mm256_hadd_ps((__m256)v, (__m256)w);
  const __m128 both = _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
  const __m128 done = _mm_add_ps(both, _mm_movehdup_ps(both));
  a = _mm_cvtss_f32(done);
  b = _mm_cvtss_f32(_mm_movehl_ps(done, done));
#else
  a = sum(v);
  b = sum(w);
#endif
}

#if defined(MASE_SIMD_512)
// out[r * row + c] += sum(v[r][c]): adding while transposing takes a third of the work of 16
// separate sums. In the order of the form for four, so that blocks of any height agree.
inline void add_sums(const Vec (&v)[4][4], float* out, std::ptrdiff_t row) {
  __m512 a[8];
  for (int i = 0; i < 8; ++i) {
    const Vec* pair = v[i / 2] + i % 2 * 2;
    a[i] = add_pairs((__m512)pair[0], (__m512)pair[1]);
  }
  __m512 b[4];
  for (int i = 0; i < 4; ++i) {
    const __m512d p = _mm512_castps_pd(a[2 * i]);
    const __m512d q = _mm512_castps_pd(a[2 * i + 1]);
    b[i] = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(p, q)),
                         _mm512_castpd_ps(_mm512_unpackhi_pd(p, q)));
  }
  __m512 c[2];
  for (int i = 0; i < 2; ++i) {
    c[i] = _mm512_add_ps(_mm512_shuffle_f32x4(b[2 * i], b[2 * i + 1], 0x44),
                         _mm512_shuffle_f32x4(b[2 * i], b[2 * i + 1], 0xee));
  }
  const __m512 sums =
      _mm512_add_ps(_mm512_shuffle_f32x4(c[0], c[1], 0x88), _mm512_shuffle_f32x4(c[0], c[1], 0xdd));
  const auto add = [](float* to, __m128 four) {
    _mm_storeu_ps(to, _mm_add_ps(_mm_loadu_ps(to), four));
  };
  add(out, _mm512_castps512_ps128(sums));
  add(out + row, _mm512_extractf32x4_ps(sums, 1));
  add(out + 2 * row, _mm512_extractf32x4_ps(sums, 2));
  add(out + 3 * row, _mm512_extractf32x4_ps(sums, 3));
}
#endif

// out[0..3] += sum(v[0..3])
inline void add_sums(const Vec (&v)[4], float* out) {
#if defined(MASE_SIMD_512)
  const __m512d p = _mm512_castps_pd(add_pairs((__m512)v[0], (__m512)v[1]));
  const __m512d q = _mm512_castps_pd(add_pairs((__m512)v[2], (__m512)v[3]));
  const __m128 sums = quarters(_mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(p, q)),
                                             _mm512_castpd_ps(_mm512_unpackhi_pd(p, q))));
  _mm_storeu_ps(out, _mm_add_ps(_mm_loadu_ps(out), sums));
#elif defined(__AVX2__)
  const __m256 both = _mm256_hadd_ps(_mm256_hadd_ps((__m256)v[0], (__m256)v[1]),
                                     _mm256_hadd_ps((__m256)v[2], (__m256)v[3]));
  const __m128 sums = _mm_add_ps(_mm256_castps256_ps128(both), _mm256_extractf128_ps(both, 1));
  _mm_storeu_ps(out, _mm_add_ps(_mm_loadu_ps(out), sums));
#else
  for (int i = 0; i < 4; ++i) out[i] += sum(v[i]);
#endif
}

// NaN goes through both, as in the scalar kernels of the number formats.
inline Vec at_least(Vec x, Vec low) {
#if defined(MASE_SIMD_512)
  return (Vec)_mm512_max_ps((__m512)low, (__m512)x);  // the second operand where one is NaN
#elif defined(__AVX2__)
  return (Vec)_mm256_max_ps((__m256)low, (__m256)x);
#else
  return x < low ? low : x;
#endif
}
inline Vec at_most(Vec x, Vec high) {
#if defined(MASE_SIMD_512)
  return (Vec)_mm512_min_ps((__m512)high, (__m512)x);
#elif defined(__AVX2__)
  return (Vec)_mm256_min_ps((__m256)high, (__m256)x);
#else
  return x > high ? high : x;
#endif
}

// GCC folds loads into the operands of fused multiply-adds, which costs a load port per operation;
// passing a value through a register keeps it there.
inline void pin(Vec& v) {
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__)
  asm("" : "+v"(v));
#elif defined(__AVX2__) && !defined(MASE_SIMD_512) && defined(__GNUC__) && !defined(__clang__)
  asm("" : "+x"(v));
#else
  (void)v;
#endif
}
#endif

}  // namespace
}  // namespace mase::engine::native
