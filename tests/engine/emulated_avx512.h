#pragma once

// AVX-512 (F, BW, VNNI) as SIMDe emulates it with narrower vectors: included in front of the native
// engine's kernels by the test build, so that their 512-bit forms run on machines without it.
// Fills the gaps of SIMDe 0.7.4.
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#define MASE_EMULATED_512 1

#undef _mm512_madd_epi16  // its alias has too many arguments
#define _mm512_madd_epi16 simde_mm512_madd_epi16

namespace mase::engine::emulated {

inline simde__m512 to_float(simde__m512i x) {
  simde__m512_private out;
  const simde__m512i_private in = simde__m512i_to_private(x);
  for (int i = 0; i < 2; ++i) out.m256[i] = _mm256_cvtepi32_ps(in.m256i[i]);
  return simde__m512_from_private(out);
}

inline simde__m512i to_int(simde__m512 x) {
  simde__m512i_private out;
  const simde__m512_private in = simde__m512_to_private(x);
  for (int i = 0; i < 2; ++i) out.m256i[i] = _mm256_cvtps_epi32(in.m256[i]);
  return simde__m512i_from_private(out);
}

// Four 128-bit parts: two of a, then two of b.
template <int kParts>
simde__m512 shuffle_parts(simde__m512 a, simde__m512 b) {
  simde__m512_private out;
  const simde__m512_private from_a = simde__m512_to_private(a);
  const simde__m512_private from_b = simde__m512_to_private(b);
  out.m128[0] = from_a.m128[kParts & 3];
  out.m128[1] = from_a.m128[(kParts >> 2) & 3];
  out.m128[2] = from_b.m128[(kParts >> 4) & 3];
  out.m128[3] = from_b.m128[(kParts >> 6) & 3];
  return simde__m512_from_private(out);
}

inline float sum_lanes(simde__m512 x) {
  // In the order of the compilers' own: halves, then halves of the sums.
  const simde__m512_private lanes = simde__m512_to_private(x);
  float sums[16];
  for (int i = 0; i < 16; ++i) sums[i] = lanes.f32[i];
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) sums[i] += sums[i + width];
  }
  return sums[0];
}

inline simde__m512i widen_bytes(__m128i x) {
  simde__m512i_private out;
  unsigned char bytes[16];
  __builtin_memcpy(bytes, &x, sizeof bytes);
  for (int i = 0; i < 16; ++i) out.i32[i] = bytes[i];
  return simde__m512i_from_private(out);
}

inline simde__m512 load_masked(unsigned mask, const float* p) {
  simde__m512_private out;
  for (int i = 0; i < 16; ++i) out.f32[i] = (mask >> i & 1u) != 0 ? p[i] : 0.0f;
  return simde__m512_from_private(out);
}

}  // namespace mase::engine::emulated

#undef _mm512_shuffle_f32x4  // a macro in clang's own header
#define _mm512_shuffle_f32x4(a, b, parts) mase::engine::emulated::shuffle_parts<parts>(a, b)
#define _mm512_reduce_add_ps mase::engine::emulated::sum_lanes
#define _mm512_cvtepu8_epi32 mase::engine::emulated::widen_bytes

#define _mm512_cvtepi32_ps mase::engine::emulated::to_float
#define _mm512_cvtps_epi32 mase::engine::emulated::to_int
#undef _mm512_maskz_loadu_ps  // SIMDe's reads the lanes that are masked off, too
#define _mm512_maskz_loadu_ps mase::engine::emulated::load_masked
