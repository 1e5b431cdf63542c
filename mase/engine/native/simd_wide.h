#pragma once

// Sixteen lanes on any instruction set, for runs whose bits must not depend on it
// (--deterministic): GCC and Clang cut the vector to what the machine has, and what C++ has no
// spelling for follows AVX-512 to the bit. Part of simd.h, which includes it where MASE_WIDE is
// defined.

namespace mase::engine::native {
namespace {

constexpr int kLanes = 16;
typedef float Vec __attribute__((vector_size(4 * kLanes), may_alias));
typedef std::int32_t IntVec __attribute__((vector_size(4 * kLanes), may_alias));

// A quarter of a vector.
typedef float Four __attribute__((vector_size(16), may_alias));
inline Four quarter(const Vec& v, int k) {
  Four q;
  std::memcpy(&q, reinterpret_cast<const char*>(&v) + 16 * k, sizeof q);
  return q;
}

// The even and the odd lanes of a quarter, added up over the quarters as _mm512_reduce_add_ps does:
// the outer two first.
inline Four quarters(const Vec& v) {
  return (quarter(v, 0) + quarter(v, 2)) + (quarter(v, 1) + quarter(v, 3));
}
inline float pairs(Four q) {
  return (q[0] + q[2]) + (q[1] + q[3]);
}

inline float sum(Vec v) {
  return pairs(quarters(v));
}

// As the form of AVX-512, which adds the pairs of a quarter before it adds the quarters.
inline float sum_of_pairs(const Vec& v) {
  float even[4];
  float odd[4];
  for (int k = 0; k < 4; ++k) {
    const Four q = quarter(v, k);
    even[k] = q[0] + q[2];
    odd[k] = q[1] + q[3];
  }
  return ((even[0] + even[2]) + (even[1] + even[3])) + ((odd[0] + odd[2]) + (odd[1] + odd[3]));
}
inline void sums(Vec v, Vec w, float& a, float& b) {
  a = sum_of_pairs(v);
  b = sum_of_pairs(w);
}

// out[0..3] += sum(v[0..3]), every quarter by itself first.
inline void add_sums(const Vec (&v)[4], float* out) {
  for (int i = 0; i < 4; ++i) {
    float q[4];
    for (int k = 0; k < 4; ++k) q[k] = pairs(quarter(v[i], k));
    out[i] += (q[0] + q[2]) + (q[1] + q[3]);
  }
}

#if defined(__AVX2__)
typedef float Eight __attribute__((vector_size(32), may_alias));
// function(half of a, half of b, ...) for both halves.
template <typename Function, typename... Vectors>
inline Vec by_halves(Function function, const Vectors&... vectors) {
  Vec out;
  for (int k = 0; k < 2; ++k) {
    const auto half = [k](const Vec& v) {
      Eight h;
      std::memcpy(&h, reinterpret_cast<const char*>(&v) + 32 * k, sizeof h);
      return (__m256)h;
    };
    const Eight done = (Eight)function(half(vectors)...);
    std::memcpy(reinterpret_cast<char*>(&out) + 32 * k, &done, sizeof done);
  }
  return out;
}
inline Vec fma(const Vec& a, const Vec& b, const Vec& c) {
  return by_halves([](__m256 x, __m256 y, __m256 z) { return _mm256_fmadd_ps(x, y, z); }, a, b, c);
}
inline Vec round_even(const Vec& v) {
  return by_halves(
      [](__m256 x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); },
      v);
}
#else
// a b + c rounded once, where the machine cannot: the product is exact as a double, and a sum that
// is not is made odd in its last bit, which leaves the second rounding nothing to get wrong
// (Boldo and Melquiond 2008).
inline float fma_lane(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b);
  const double addend = c;
  double total = product + addend;
  const double back = total - product;
  const double lost = (product - (total - back)) + (addend - back);
  std::int64_t bits;
  std::memcpy(&bits, &total, sizeof bits);
  if ((lost > 0 || lost < 0) && (bits & 1) == 0) bits += (lost > 0) == (total > 0) ? 1 : -1;
  std::memcpy(&total, &bits, sizeof bits);
  return static_cast<float>(total);
}
inline Vec fma(const Vec& a, const Vec& b, const Vec& c) {
  Vec y;
#if defined(__ARM_NEON)
  for (int k = 0; k < 4; ++k) {
    const float32x4_t q = vfmaq_f32((float32x4_t)quarter(c, k), (float32x4_t)quarter(a, k),
                                    (float32x4_t)quarter(b, k));
    std::memcpy(reinterpret_cast<char*>(&y) + 16 * k, &q, sizeof q);
  }
#else
  for (int i = 0; i < kLanes; ++i) y[i] = fma_lane(a[i], b[i], c[i]);
#endif
  return y;
}
inline Vec round_even(const Vec& v) {
  Vec y;
  for (int i = 0; i < kLanes; ++i) y[i] = std::nearbyintf(v[i]);
  return y;
}
#endif

inline Vec fma_once(const Vec& a, const Vec& b, const Vec& c) {
  return fma(a, b, c);
}
inline Vec square_root(const Vec& v) {
  Vec y;
  for (int i = 0; i < kLanes; ++i) y[i] = std::sqrt(v[i]);
  return y;
}

inline Vec splat(float x) {
  return Vec{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}
inline IntVec widen(const std::uint8_t* p) {
  IntVec v;
  for (int i = 0; i < kLanes; ++i) v[i] = p[i];
  return v;
}
inline bool any(IntVec mask) {
  std::int32_t all = 0;
  for (int i = 0; i < kLanes; ++i) all |= mask[i];
  return all != 0;
}

// NaN goes through both, and of two zeros x's.
inline Vec at_least(Vec x, Vec low) {
  return x < low ? low : x;
}
inline Vec at_most(Vec x, Vec high) {
  return x > high ? high : x;
}

inline void pin(Vec&) {}

}  // namespace
}  // namespace mase::engine::native
