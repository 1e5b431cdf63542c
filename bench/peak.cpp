// Twelve independent chains of fused multiply-adds: enough for two units of latency four.
#include "bench/peak.h"

#include <cmath>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace mase::bench {
namespace {

constexpr int kChains = 12;
constexpr int kRounds = 4096;

volatile float sink = 0;  // keeps the results, and so the work, alive

#if defined(__x86_64__)

__attribute__((target("avx512f"))) void run_avx512() {
  const __m512 x = _mm512_set1_ps(0.999f);
  const __m512 y = _mm512_set1_ps(0.001f);
  __m512 a[kChains];
  for (__m512& v : a) v = x;
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) a[k] = _mm512_fmadd_ps(a[k], x, y);
  }
  for (int k = 1; k < kChains; ++k) a[0] = _mm512_add_ps(a[0], a[k]);
  sink = _mm512_cvtss_f32(a[0]);
}

__attribute__((target("avx2,fma"))) void run_avx2() {
  const __m256 x = _mm256_set1_ps(0.999f);
  const __m256 y = _mm256_set1_ps(0.001f);
  __m256 a[kChains];
  for (__m256& v : a) v = x;
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) a[k] = _mm256_fmadd_ps(a[k], x, y);
  }
  for (int k = 1; k < kChains; ++k) a[0] = _mm256_add_ps(a[0], a[k]);
  sink = _mm256_cvtss_f32(a[0]);
}

#endif

// Four lanes, a product and a sum where the machine has no fused form.
void run_portable() {
  typedef float Vec __attribute__((vector_size(16)));
  const Vec x = Vec{} + 0.999f;
  const Vec y = Vec{} + 0.001f;
  Vec a[kChains];
  for (Vec& v : a) v = x;
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) {
#if defined(__ARM_NEON)
      a[k] = (Vec)vfmaq_f32((float32x4_t)y, (float32x4_t)a[k], (float32x4_t)x);
#else
      a[k] = a[k] * x + y;
#endif
    }
  }
  for (int k = 1; k < kChains; ++k) a[0] += a[k];
  sink = a[0][0];
}

struct Form {
  const char* name;
  void (*run)();
  int lanes;
};

Form widest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {"avx512", run_avx512, 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"avx2", run_avx2, 8};
#endif
  return {"portable", run_portable, 4};
}

}  // namespace

Contender fma_peak() {
  const Form form = widest();
  return {"FMA peak", form.run, 2.0 * form.lanes * kChains * kRounds};
}

std::string fma_peak_name() {
  return widest().name;
}

}  // namespace mase::bench
