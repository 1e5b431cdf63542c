#pragma once

// AVX-512 (F, BW, VNNI) as SIMDe emulates it with narrower vectors: included in front of
// integer_kernels.cpp by the test build, so that its 512-bit forms run on machines without it.
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

}  // namespace mase::engine::emulated

#define _mm512_cvtepi32_ps mase::engine::emulated::to_float
#define _mm512_cvtps_epi32 mase::engine::emulated::to_int
