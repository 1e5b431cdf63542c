#pragma once

// The vector operations of the integer kernels, 256 or 512 bits wide. Packing and shuffling work
// within 128-bit lanes at either width, so the kernels read the same. MASE_EMULATED_512 (tests
// only) says that the 512-bit intrinsics come from an emulation included before this file.

#include <immintrin.h>

#include <cstdint>

#if defined(__AVX512BW__) || defined(MASE_EMULATED_512)
#define MASE_INTEGER_512 1
#endif

namespace mase::engine::native {
namespace {

#if defined(MASE_INTEGER_512)
constexpr int kWords = 16;
typedef __m512i Ints;
typedef __m512 Floats;

inline Ints load(const std::uint32_t* p) {
  return _mm512_load_si512(p);
}
inline void store(std::uint32_t* p, Ints v) {
  _mm512_store_si512(p, v);
}
inline Floats load(const float* p) {
  return _mm512_load_ps(p);
}
inline void store(float* p, Floats v) {
  _mm512_store_ps(p, v);
}
inline Floats load_unaligned(const float* p) {
  return _mm512_loadu_ps(p);
}
inline Floats load_first(const float* p, int count) {  // the other lanes are 0
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p);
}
inline Ints splat(std::int32_t x) {
  return _mm512_set1_epi32(x);
}
inline Ints splat16(int x) {
  return _mm512_set1_epi16(static_cast<short>(x));
}
inline Ints splat8(int x) {
  return _mm512_set1_epi8(static_cast<char>(x));
}
inline Floats splat(float x) {
  return _mm512_set1_ps(x);
}
inline Ints repeat(__m128i x) {
  return _mm512_broadcast_i32x4(x);
}
inline Ints add16(Ints a, Ints b) {
  return _mm512_add_epi16(a, b);
}
inline Ints add32(Ints a, Ints b) {
  return _mm512_add_epi32(a, b);
}
// Sums of neighbours: 16-bit lanes of unsigned times signed bytes; 32-bit lanes of 16-bit products.
inline Ints pairs_of_bytes(Ints u, Ints s) {
  return _mm512_maddubs_epi16(u, s);
}
inline Ints pairs_of_halves(Ints a, Ints b) {
  return _mm512_madd_epi16(a, b);
}
inline Floats to_float(Ints x) {
  return _mm512_cvtepi32_ps(x);
}
inline Ints to_int(Floats x) {
  return _mm512_cvtps_epi32(x);
}  // ties to even
inline Floats fma(Floats a, Floats b, Floats c) {
  return _mm512_fmadd_ps(a, b, c);
}
inline Floats mul(Floats a, Floats b) {
  return _mm512_mul_ps(a, b);
}
// `at_least` and `at_most` give x where it equals the bound: -0 stays -0.
inline Floats at_least(Floats x, Floats low) {
  return _mm512_max_ps(low, x);
}
inline Floats at_most(Floats x, Floats high) {
  return _mm512_min_ps(high, x);
}
inline Ints min32(Ints a, Ints b) {
  return _mm512_min_epi32(a, b);
}
inline Ints pack32(Ints a, Ints b) {
  return _mm512_packs_epi32(a, b);
}  // saturating
inline Ints pack16(Ints a, Ints b) {
  return _mm512_packus_epi16(a, b);
}
inline Ints pack16_signed(Ints a, Ints b) {
  return _mm512_packs_epi16(a, b);
}
inline Ints flip(Ints a, Ints bits) {
  return _mm512_xor_si512(a, bits);
}
inline Ints subtract16(Ints a, Ints b) {
  return _mm512_subs_epi16(a, b);
}
inline Ints max16(Ints a, Ints b) {
  return _mm512_max_epi16(a, b);
}
inline Ints min16(Ints a, Ints b) {
  return _mm512_min_epi16(a, b);
}
inline Ints min_unsigned8(Ints a, Ints b) {
  return _mm512_min_epu8(a, b);
}
inline Ints shuffle8(Ints x, Ints order) {
  return _mm512_shuffle_epi8(x, order);
}
// Four vectors of four 128-bit parts, transposed.
inline void transpose_parts(Ints (&x)[4]) {
  const Floats a = _mm512_castsi512_ps(x[0]);
  const Floats b = _mm512_castsi512_ps(x[1]);
  const Floats c = _mm512_castsi512_ps(x[2]);
  const Floats d = _mm512_castsi512_ps(x[3]);
  const Floats low[2] = {_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(c, d, 0x44)};
  const Floats high[2] = {_mm512_shuffle_f32x4(a, b, 0xee), _mm512_shuffle_f32x4(c, d, 0xee)};
  x[0] = _mm512_castps_si512(_mm512_shuffle_f32x4(low[0], low[1], 0x88));
  x[1] = _mm512_castps_si512(_mm512_shuffle_f32x4(low[0], low[1], 0xdd));
  x[2] = _mm512_castps_si512(_mm512_shuffle_f32x4(high[0], high[1], 0x88));
  x[3] = _mm512_castps_si512(_mm512_shuffle_f32x4(high[0], high[1], 0xdd));
}
#else
constexpr int kWords = 8;
typedef __m256i Ints;
typedef __m256 Floats;

inline Ints load(const std::uint32_t* p) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
}
inline void store(std::uint32_t* p, Ints v) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(p), v);
}
inline Floats load(const float* p) {
  return _mm256_load_ps(p);
}
inline void store(float* p, Floats v) {
  _mm256_store_ps(p, v);
}
inline Floats load_unaligned(const float* p) {
  return _mm256_loadu_ps(p);
}
inline Floats load_first(const float* p, int count) {  // the other lanes are 0
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
}
inline Ints splat(std::int32_t x) {
  return _mm256_set1_epi32(x);
}
inline Ints splat16(int x) {
  return _mm256_set1_epi16(static_cast<short>(x));
}
inline Ints splat8(int x) {
  return _mm256_set1_epi8(static_cast<char>(x));
}
inline Floats splat(float x) {
  return _mm256_set1_ps(x);
}
inline Ints repeat(__m128i x) {
  return _mm256_broadcastsi128_si256(x);
}
inline Ints add16(Ints a, Ints b) {
  return _mm256_add_epi16(a, b);
}
inline Ints add32(Ints a, Ints b) {
  return _mm256_add_epi32(a, b);
}
// Sums of neighbours: 16-bit lanes of unsigned times signed bytes; 32-bit lanes of 16-bit products.
inline Ints pairs_of_bytes(Ints u, Ints s) {
  return _mm256_maddubs_epi16(u, s);
}
inline Ints pairs_of_halves(Ints a, Ints b) {
  return _mm256_madd_epi16(a, b);
}
inline Floats to_float(Ints x) {
  return _mm256_cvtepi32_ps(x);
}
inline Ints to_int(Floats x) {
  return _mm256_cvtps_epi32(x);
}  // ties to even
inline Floats fma(Floats a, Floats b, Floats c) {
  return _mm256_fmadd_ps(a, b, c);
}
inline Floats mul(Floats a, Floats b) {
  return _mm256_mul_ps(a, b);
}
// `at_least` and `at_most` give x where it equals the bound: -0 stays -0.
inline Floats at_least(Floats x, Floats low) {
  return _mm256_max_ps(low, x);
}
inline Floats at_most(Floats x, Floats high) {
  return _mm256_min_ps(high, x);
}
inline Ints min32(Ints a, Ints b) {
  return _mm256_min_epi32(a, b);
}
inline Ints pack32(Ints a, Ints b) {
  return _mm256_packs_epi32(a, b);
}  // saturating
inline Ints pack16(Ints a, Ints b) {
  return _mm256_packus_epi16(a, b);
}
inline Ints pack16_signed(Ints a, Ints b) {
  return _mm256_packs_epi16(a, b);
}
inline Ints flip(Ints a, Ints bits) {
  return _mm256_xor_si256(a, bits);
}
inline Ints subtract16(Ints a, Ints b) {
  return _mm256_subs_epi16(a, b);
}
inline Ints max16(Ints a, Ints b) {
  return _mm256_max_epi16(a, b);
}
inline Ints min16(Ints a, Ints b) {
  return _mm256_min_epi16(a, b);
}
inline Ints min_unsigned8(Ints a, Ints b) {
  return _mm256_min_epu8(a, b);
}
inline Ints shuffle8(Ints x, Ints order) {
  return _mm256_shuffle_epi8(x, order);
}
// Two vectors of two 128-bit parts, transposed.
inline void transpose_parts(Ints (&x)[2]) {
  const Ints low = _mm256_permute2x128_si256(x[0], x[1], 0x20);
  x[1] = _mm256_permute2x128_si256(x[0], x[1], 0x31);
  x[0] = low;
}
#endif

// Unsigned by signed bytes, four products added to each 32-bit lane, and two halves likewise.
#if defined(MASE_VNNI) && defined(__GNUC__) && !defined(__clang__) && !defined(MASE_EMULATED_512)
// Spelt out because GCC copies a sum before and after its intrinsics.
inline Ints dot_bytes(Ints sum, Ints u, Ints s) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(s));
  return sum;
}
inline Ints dot_halves(Ints sum, Ints a, Ints b) {
  asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}
#elif defined(MASE_VNNI)
inline Ints dot_bytes(Ints sum, Ints u, Ints s) {
  return _mm512_dpbusd_epi32(sum, u, s);
}
inline Ints dot_halves(Ints sum, Ints a, Ints b) {
  return _mm512_dpwssd_epi32(sum, a, b);
}
#else
inline Ints dot_bytes(Ints sum, Ints u, Ints s) {
  return add32(sum, pairs_of_halves(pairs_of_bytes(u, s), splat16(1)));
}
inline Ints dot_halves(Ints sum, Ints a, Ints b) {
  return add32(sum, pairs_of_halves(a, b));
}
#endif

// GCC puts off additions to where their sum is read, and keeps the terms until then, more than the
// registers hold; a value passed through a register exists from there on.
inline void pin(Ints& v) {
#if defined(MASE_VNNI) || defined(__clang__) || defined(MASE_EMULATED_512)
  (void)v;  // products and sums are one instruction, or there is nothing to hold back
#elif defined(__AVX512F__)
  asm("" : "+v"(v));
#else
  asm("" : "+x"(v));
#endif
}

inline bool any_lowest(Ints x) {  // whether some lane is the lowest 32-bit integer
  alignas(64) std::uint32_t lanes[kWords];
  store(lanes, x);
  bool found = false;
  for (std::uint32_t lane : lanes) found = found || lane == 0x80000000u;
  return found;
}

inline bool any_lowest16(Ints x) {  // likewise of 16-bit lanes
  alignas(64) std::uint32_t lanes[kWords];
  store(lanes, x);
  bool found = false;
  for (std::uint32_t lane : lanes) {
    found = found || (lane & 0xffffu) == 0x8000u || lane >> 16 == 0x8000u;
  }
  return found;
}

}  // namespace
}  // namespace mase::engine::native
