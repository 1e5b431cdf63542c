// Rows of a sample-major table: whether they lie in order, and shuffled ones into a tile
// [feature][sample], a block of rows at a time, transposed in registers.
#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

typedef std::uint32_t RowVec __attribute__((vector_size(4 * kLanes), may_alias));

#if defined(MASE_SIMD_512)
// 16 rows of 16 floats at `rows`, transposed to x[f * stride].
void transpose(const float* const* rows, float* x, int stride) {
  __m512 r[16];
  for (int i = 0; i < 16; ++i) r[i] = _mm512_loadu_ps(rows[i]);
  __m512 t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    _mm512_store_ps(x + i * stride, _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88));
    _mm512_store_ps(x + (i + 4) * stride, _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88));
    _mm512_store_ps(x + (i + 8) * stride, _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd));
    _mm512_store_ps(x + (i + 12) * stride, _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd));
  }
}
constexpr int kBlock = 16;
#elif defined(__AVX2__)
// 8 rows of 8 floats at `rows`, transposed to x[f * stride].
void transpose(const float* const* rows, float* x, int stride) {
  __m256 r[8];
  // Halves of rows i and i + 4 side by side: what is left is a transpose within 128 bits.
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[i])),
                                _mm_loadu_ps(rows[i + 4]), 1);
    r[i + 4] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[i] + 4)),
                                    _mm_loadu_ps(rows[i + 4] + 4), 1);
  }
  for (int half = 0; half < 8; half += 4) {
    const __m256 a = _mm256_unpacklo_ps(r[half], r[half + 1]);
    const __m256 b = _mm256_unpackhi_ps(r[half], r[half + 1]);
    const __m256 c = _mm256_unpacklo_ps(r[half + 2], r[half + 3]);
    const __m256 d = _mm256_unpackhi_ps(r[half + 2], r[half + 3]);
    float* to = x + half * stride;
    _mm256_store_ps(to, _mm256_shuffle_ps(a, c, 0x44));
    _mm256_store_ps(to + stride, _mm256_shuffle_ps(a, c, 0xee));
    _mm256_store_ps(to + 2 * stride, _mm256_shuffle_ps(b, d, 0x44));
    _mm256_store_ps(to + 3 * stride, _mm256_shuffle_ps(b, d, 0xee));
  }
}
constexpr int kBlock = 8;
#else
void transpose(const float* const* rows, float* x, int stride) {
  for (int i = 0; i < 4; ++i) {
    for (int f = 0; f < 4; ++f) x[f * stride + i] = rows[i][f];
  }
}
constexpr int kBlock = 4;
#endif

}  // namespace

void gather(const float* table, const std::uint32_t* rows, int n, int features, float* x,
            int stride) {
  const std::int64_t width = features;
  int s = 0;
  for (; s + kBlock <= n; s += kBlock) {
    int f = 0;
    for (; f + kBlock <= features; f += kBlock) {
      const float* from[kBlock];
      for (int i = 0; i < kBlock; ++i) from[i] = table + rows[s + i] * width + f;
      transpose(from, x + f * stride + s, stride);
    }
    for (; f < features; ++f) {
      for (int i = s; i < s + kBlock; ++i) x[f * stride + i] = table[rows[i] * width + f];
    }
  }
  for (; s < n; ++s) {
    const float* row = table + rows[s] * width;
    for (int f = 0; f < features; ++f) x[f * stride + s] = row[f];
  }
  // Lanes behind the last sample hold finite values, so that nothing spreads from them.
  for (; s % 16 != 0; ++s) {
    for (int f = 0; f < features; ++f) x[f * stride + s] = 0.0f;
  }
}

bool consecutive(const std::uint32_t* rows, std::int64_t n) {
  if (n <= 0) return false;
  constexpr std::int64_t kStep = 4 * kLanes;
  RowVec expected = (RowVec)lane_numbers() + rows[0];
  RowVec different = {};
  std::int64_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    for (int v = 0; v < 4; ++v) {
      RowVec number;
      std::memcpy(&number, rows + i + v * kLanes, sizeof number);
      different |= number ^ (expected + static_cast<std::uint32_t>(v * kLanes));
    }
    expected += static_cast<std::uint32_t>(kStep);
  }
  std::uint32_t rest = 0;
  for (; i < n; ++i) rest |= rows[i] ^ (rows[0] + static_cast<std::uint32_t>(i));
  return rest == 0 && !any(different != 0);
}

}  // namespace mase::engine::native::MASE_ISA
