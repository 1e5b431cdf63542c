// Batch norm: the moments of a tile, and what follows from those of a whole batch.
#include <algorithm>

#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

// Sums over the samples for kFeatures (1 or 4) features, add(f, entry, sum) being the next sum. Two
// sums of each, so that no addition waits for the one before; their lanes are added up together.
template <int kFeatures, typename Add>
inline void sums_of(const float* x, int n, int stride, Add add, float* out) {
  const int whole = n / kLanes;
  const auto at = [&](int f, int v) { return load(x + f * stride + v * kLanes); };
  Vec sums[4] = {};
  Vec others[kFeatures] = {};
  int v = 0;
  for (; v + 2 <= whole; v += 2) {
    for (int f = 0; f < kFeatures; ++f) sums[f] = add(f, at(f, v), sums[f]);
    for (int f = 0; f < kFeatures; ++f) others[f] = add(f, at(f, v + 1), others[f]);
  }
  if (v < whole) {
    for (int f = 0; f < kFeatures; ++f) sums[f] = add(f, at(f, v), sums[f]);
  }
  if (n % kLanes != 0) {
    const IntVec exists = lane_numbers() < n % kLanes;
    for (int f = 0; f < kFeatures; ++f) sums[f] = exists ? add(f, at(f, whole), sums[f]) : sums[f];
  }
  for (int f = 0; f < kFeatures; ++f) sums[f] += others[f];
  alignas(16) float totals[4] = {};
  add_sums(sums, totals);
  std::copy_n(totals, kFeatures, out);
}

template <int kFeatures>
void means_of(const float* x, int n, int stride, float* mean) {
  sums_of<kFeatures>(
      x, n, stride, [](int, Vec entry, Vec sum) { return sum + entry; }, mean);
  for (int f = 0; f < kFeatures; ++f) mean[f] /= static_cast<float>(n);
}

template <int kFeatures>
void squares_of(const float* x, int n, int stride, const float* mean, float* m2) {
  Vec middle[kFeatures];
  for (int f = 0; f < kFeatures; ++f) middle[f] = splat(mean[f]);
  const auto add = [&](int f, Vec entry, Vec sum) {
    const Vec d = entry - middle[f];
    return fma(d, d, sum);
  };
  sums_of<kFeatures>(x, n, stride, add, m2);
}

// Some of the numbers from p on, at most kDoubles.
DoubleVec take(const float* p, int count) {
  HalfVec v = {};
  if (count >= kDoubles) {
    std::memcpy(&v, p, sizeof v);
  } else {
    for (int i = 0; i < count; ++i) v[i] = p[i];
  }
  return __builtin_convertvector(v, DoubleVec);
}
DoubleVec take(const double* p, int count) {
  DoubleVec v = {};
  if (count >= kDoubles) {
    std::memcpy(&v, p, sizeof v);
  } else {
    for (int i = 0; i < count; ++i) v[i] = p[i];
  }
  return v;
}
void put(DoubleVec numbers, float* p, int count) {
  const HalfVec v = __builtin_convertvector(numbers, HalfVec);
  if (count >= kDoubles) {
    std::memcpy(p, &v, sizeof v);
  } else {
    for (int i = 0; i < count; ++i) p[i] = v[i];
  }
}
void add(DoubleVec numbers, float* p, int count) {
  const HalfVec v = __builtin_convertvector(numbers, HalfVec);
  for (int i = 0; i < std::min(count, kDoubles); ++i) p[i] += v[i];
}

}  // namespace

// The means of a few groups of features first, then the squares: of one group alone, each would
// wait for the other.
void moments(const float* x, int features, int n, int stride, float* mean, float* m2) {
  constexpr int kTogether = 16;
  for (int first = 0; first < features; first += kTogether) {
    const int count = std::min(kTogether, features - first);
    const float* from = x + first * stride;
    int f = 0;
    for (; f + 4 <= count; f += 4) means_of<4>(from + f * stride, n, stride, mean + first + f);
    for (; f < count; ++f) means_of<1>(from + f * stride, n, stride, mean + first + f);
    for (f = 0; f + 4 <= count; f += 4) {
      squares_of<4>(from + f * stride, n, stride, mean + first + f, m2 + first + f);
    }
    for (; f < count; ++f) {
      squares_of<1>(from + f * stride, n, stride, mean + first + f, m2 + first + f);
    }
  }
}

// Two passes: exact mean first, then squared deviations from it. Lanes behind the samples are left
// out of both by a mask.
void channel_moments(const float* x, int channels, int area, int n, int stride, float* mean,
                     float* m2) {
  const int vectors = vectors_of(n);
  alignas(64) float kept[2 * kLanes] = {};
  std::fill_n(kept, kLanes, 1.0f);
  const int tail = n - (vectors - 1) * kLanes;
  std::fill_n(kept + kLanes, tail, 1.0f);
  const auto mask_of = [&](int v) { return load(kept + (v + 1 < vectors ? 0 : kLanes)); };
  for (int c = 0; c < channels; ++c) {
    const float* plane = x + static_cast<std::ptrdiff_t>(c) * area * stride;
    Vec total = {};
    for (int v = 0; v < vectors; ++v) {
      Vec part = {};
      for (int p = 0; p < area; ++p) {
        part += load(plane + static_cast<std::ptrdiff_t>(p) * stride + v * kLanes);
      }
      total = fma(part, mask_of(v), total);
    }
    const float centre = sum(total) / (static_cast<float>(n) * static_cast<float>(area));
    Vec squares = {};
    for (int v = 0; v < vectors; ++v) {
      Vec part = {};
      for (int p = 0; p < area; ++p) {
        const Vec off =
            load(plane + static_cast<std::ptrdiff_t>(p) * stride + v * kLanes) - splat(centre);
        part = fma(off, off, part);
      }
      squares = fma(part, mask_of(v), squares);
    }
    mean[c] = centre;
    m2[c] = sum(squares);
  }
}

void fold_moments(const NormFold& fold, const double* mean, const double* m2) {
  const double share = 1 / fold.count;
  const double kept = 1 - fold.momentum;
  const double moved = fold.momentum / (fold.count - 1);  // the running variance is unbiased
  for (int c = 0; c < fold.channels; c += kDoubles) {
    const int left = fold.channels - c;
    const DoubleVec centre = take(mean + c, left);
    const DoubleVec squares = take(m2 + c, left);
    const DoubleVec inverse = 1.0 / square_root(squares * share + fold.epsilon);
    const DoubleVec gain = take(fold.gamma + c, left) * inverse;
    put(centre, fold.mean + c, left);
    put(inverse, fold.inverse + c, left);
    put(gain, fold.gain + c, left);
    put(take(fold.beta + c, left) - centre * gain, fold.shift + c, left);
    if (!fold.running_mean) continue;
    put(kept * take(fold.running_mean + c, left) + fold.momentum * centre, fold.running_mean + c,
        left);
    put(kept * take(fold.running_var + c, left) + moved * squares, fold.running_var + c, left);
  }
}

void fold_gradient(const NormGradientFold& fold, const double* s1, const double* s2) {
  const double share = 1 / fold.count;
  for (int c = 0; c < fold.channels; c += kDoubles) {
    const int left = fold.channels - c;
    const DoubleVec sum1 = take(s1 + c, left);
    const DoubleVec sum2 = take(s2 + c, left);
    const DoubleVec inverse = take(fold.inverse + c, left);
    const DoubleVec a = take(fold.gain + c, left);
    const DoubleVec b = -a * inverse * inverse * sum2 * share;
    put(a, fold.a + c, left);
    put(b, fold.b + c, left);
    put(-a * sum1 * share - b * take(fold.mean + c, left), fold.c + c, left);
    add(sum2 * inverse, fold.dgamma + c, left);
    add(sum1, fold.dbeta + c, left);
  }
}

void normalise_gradient(const float* a, const float* b, const float* c, const float* d,
                        const float* x, float* dx, int features, int n, int stride,
                        bool accumulate) {
  const int vectors = vectors_of(n);
  for (int f = 0; f < features; ++f) {
    const Vec va = splat(a[f]);
    const Vec vb = splat(b[f]);
    const Vec vc = splat(c[f]);
    for (int v = 0; v < vectors; ++v) {
      const int at = f * stride + v * kLanes;
      Vec value = fma(va, load(d + at), fma(vb, load(x + at), vc));
      if (accumulate) value += load(dx + at);
      store(dx + at, value);
    }
    for (int s = n; s < vectors * kLanes; ++s) dx[f * stride + s] = 0.0f;
  }
}

}  // namespace mase::engine::native::MASE_ISA
