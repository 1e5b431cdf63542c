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

// Numbers of kDoubles channels. They may lie behind the last channel: see FloatArray.
DoubleVec take(const float* p) {
  HalfVec v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, DoubleVec);
}

// `left` channels are left.
void put(DoubleVec numbers, float* p, int left) {
  const HalfVec v = __builtin_convertvector(numbers, HalfVec);
  if (left >= kDoubles) {
    std::memcpy(p, &v, sizeof v);
  } else {
    for (int i = 0; i < left; ++i) p[i] = v[i];
  }
}

// The mean and the sum of squared deviations over all tiles, merged one after the other (Chan,
// Golub and LeVeque 1979).
struct Moments {
  DoubleVec mean;
  DoubleVec squares;
};
Moments merged(const TileMoments& tiles, int channel) {
  Moments all{take(tiles.mean + channel), take(tiles.m2 + channel)};
  double count = tiles.tiles > 1 ? tiles.count : tiles.last_count;
  for (int k = 1; k < tiles.tiles; ++k) {
    const double tile_count = k + 1 < tiles.tiles ? tiles.count : tiles.last_count;
    const double share = tile_count / (count + tile_count);
    const std::ptrdiff_t at = k * tiles.pitch + channel;
    const DoubleVec d = take(tiles.mean + at) - all.mean;
    all.mean += d * share;
    all.squares += take(tiles.m2 + at) + d * d * (count * share);
    count += tile_count;
  }
  return all;
}

// Sums over the tiles, and over the features of a channel.
DoubleVec total(const float* sums, const NormGradientFold& fold, int channel) {
  DoubleVec all = {};
  for (int k = 0; k < fold.tiles; ++k) {
    const float* from = sums + k * fold.pitch + std::ptrdiff_t{channel} * fold.area;
    if (fold.area == 1) {
      all += take(from);
      continue;
    }
    const int left = std::min(kDoubles, fold.channels - channel);
    for (int i = 0; i < left * fold.area; ++i) all[i / fold.area] += from[i];
  }
  return all;
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

void fold_moments(const NormFold& fold) {
  const TileMoments& tiles = fold.moments;
  const double count = (tiles.tiles - 1) * tiles.count + tiles.last_count;
  const double share = 1 / count;
  const double kept = 1 - fold.momentum;
  const double moved = fold.momentum / (count - 1);  // the running variance is unbiased
  for (int c = 0; c < fold.channels; c += kDoubles) {
    const int left = fold.channels - c;
    const Moments batch = merged(tiles, c);
    const DoubleVec inverse = 1.0 / square_root(batch.squares * share + fold.epsilon);
    const DoubleVec gain = take(fold.gamma + c) * inverse;
    put(batch.mean, fold.mean + c, left);
    put(inverse, fold.inverse + c, left);
    put(gain, fold.gain + c, left);
    put(take(fold.beta + c) - batch.mean * gain, fold.shift + c, left);
    if (!fold.running_mean) continue;
    float* const mean = fold.running_mean + c;
    float* const var = fold.running_var + c;
    put(kept * take(mean) + fold.momentum * batch.mean, mean, left);
    put(kept * take(var) + moved * batch.squares, var, left);
  }
}

void fold_gradient(const NormGradientFold& fold) {
  const double share = 1 / fold.count;
  for (int c = 0; c < fold.channels; c += kDoubles) {
    const int left = fold.channels - c;
    const DoubleVec s1 = total(fold.s1, fold, c);
    const DoubleVec s2 = total(fold.s2, fold, c);
    const DoubleVec inverse = take(fold.inverse + c);
    const DoubleVec a = take(fold.gain + c);
    const DoubleVec b = -a * inverse * inverse * s2 * share;
    put(a, fold.a + c, left);
    put(b, fold.b + c, left);
    put(-a * s1 * share - b * take(fold.mean + c), fold.c + c, left);
    put(take(fold.dgamma + c) + s2 * inverse, fold.dgamma + c, left);
    put(take(fold.dbeta + c) + s1, fold.dbeta + c, left);
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
    by_twos(vectors, [&](int v) {
      const int at = f * stride + v * kLanes;
      Vec value = fma(va, load(d + at), fma(vb, load(x + at), vc));
      if (accumulate) value += load(dx + at);
      store(dx + at, value);
    });
    for (int s = n; s < vectors * kLanes; ++s) dx[f * stride + s] = 0.0f;
  }
}

}  // namespace mase::engine::native::MASE_ISA
