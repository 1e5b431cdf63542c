// Softmax and cross entropy with vector exp and log: Cody-Waite reduction and minimax polynomials,
// within 2 units in the last place of the exact value over the range they are used in.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "mase/engine/native/isa_kernels.h"
#include "mase/engine/native/read_ahead.h"

// Loops over a handful of classes, their number known: without loops their logits stay in
// registers.
#if defined(__clang__)
#define MASE_UNROLL  // it does so unasked
#else
#define MASE_UNROLL _Pragma("GCC unroll 6")
#endif

namespace mase::engine::native::MASE_ISA {
namespace {

// e^x for x <= 0 (larger values up to 88 also work); below -87.7 the result is 0.
Vec exponential(Vec x) {
  // Adding 1.5 * 2^23 leaves the nearest integer in the last bits, here with the exponent's bias.
  const Vec magic = splat(12582912.0f + 127);
  x = at_least(x, splat(-88.0f));  // there the power of two is 0; NaN stays NaN
  const Vec shifted = fma(x, splat(1.44269504088896341f), magic);
  const Vec n = shifted - magic;
  Vec r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  // 1 + r + r^2 p(r), the coefficients of p minimax for the relative error: 3e-9. One coefficient
  // after the other is the fewest operations; those of several classes overlap.
  Vec p = fma(splat(1.381439273e-3f), r, splat(8.368817158e-3f));
  p = fma(p, r, splat(4.166839644e-2f));
  p = fma(p, r, splat(1.666651964e-1f));
  p = fma(p, r, splat(4.999999404e-1f));
  p = fma(p, r, splat(1.0f));
  p = fma(p, r, splat(1.0f));
  return p * (Vec)((IntVec)shifted << 23);
}

// ln x for finite x >= 1.
Vec logarithm(Vec x) {
  // Mantissa in [sqrt(1/2), sqrt(2)): the exponent is rounded to the nearest power of two.
  const IntVec shifted = (IntVec)x - 0x3f3504f3;
  const Vec e = __builtin_convertvector(shifted >> 23, Vec);
  const Vec f = (Vec)((shifted & 0x007fffff) + 0x3f3504f3) - splat(1.0f);
  const Vec f2 = f * f;
  const Vec f4 = f2 * f2;
  const Vec p01 = fma(splat(-2.4999993993e-1f), f, splat(3.3333331174e-1f));
  const Vec p23 = fma(splat(-1.6668057665e-1f), f, splat(2.0000714765e-1f));
  const Vec p45 = fma(splat(-1.2420140846e-1f), f, splat(1.4249322787e-1f));
  const Vec p67 = fma(splat(-1.1514610310e-1f), f, splat(1.1676998740e-1f));
  const Vec p03 = fma(p23, f2, p01);
  const Vec p47 = fma(p67, f2, p45);
  const Vec p = fma(fma(splat(7.0376836292e-2f), f4, p47), f4, p03);
  Vec y = f * f2 * p;
  y = fma(e, splat(-2.12194440e-4f), y);
  y = fma(f2, splat(-0.5f), y);
  const Vec result = fma(e, splat(0.693359375f), f + y);
  return x == x ? result : x;
}

// How many samples the network is right about, where some logit is not a finite number: the first
// NaN wins, as in a maximum that propagates it, else the first largest.
std::int64_t count_right(const float* z, const std::uint8_t* labels, int classes, int n,
                         int stride) {
  std::int64_t right = 0;
  for (int s = 0; s < n; ++s) {
    int decided = 0;
    for (int c = 1; c < classes; ++c) {
      const float best = z[decided * stride + s];
      const float logit = z[c * stride + s];
      if (logit > best || (std::isnan(logit) && !std::isnan(best))) decided = c;
    }
    right += decided == labels[s];
  }
  return right;
}

// What a vector of samples comes to.
struct Outcome {
  Vec normaliser;  // the sum of e^(logit - largest), NaN where no finite number is largest
  Vec margin;      // of the largest logit over the label's
  IntVec right;    // whether the label is the first largest (no NaN about)
};

constexpr int kMostClasses = 256;  // labels are bytes
constexpr int kFewClasses = 6;     // as many are told apart by code of their own

// Of `kClasses` classes, or 0: of so many as `count` says. Leaves their exponentials in `e`, where
// the gradient is made of them. Without it that of the largest logit, which is 1, is not computed:
// where a logit meets the largest before it, the smaller one goes to the sum, the larger one on.
template <bool kGradient, int kClasses>
inline Outcome outcome_of(const float* z, IntVec label, int count, int stride, float* e) {
  const int classes = kClasses > 0 ? kClasses : count;
  constexpr int kSmaller = kGradient ? 1 : kClasses > 0 ? kClasses : kMostClasses;
  Vec smaller[kSmaller];
  Vec largest = load(z);
  IntVec ahead = label == 0;  // the label's logit is larger than all before it
  IntVec chosen = (IntVec)largest & ahead;
  MASE_UNROLL
  for (int c = 1; c < classes; ++c) {
    const Vec logit = load(z + c * stride);
    const IntVec labelled = label == c;
    ahead |= (logit > largest) & labelled;
    chosen |= (IntVec)logit & labelled;
    if constexpr (!kGradient) smaller[c - 1] = at_most(largest, logit);
    largest = at_least(logit, largest);
  }
  Vec total = kGradient ? Vec{} : largest - largest + splat(1.0f);
  MASE_UNROLL
  for (int c = 0; c < (kGradient ? classes : classes - 1); ++c) {
    const Vec power = exponential((kGradient ? load(z + c * stride) : smaller[c]) - largest);
    if constexpr (kGradient) store(e + c * stride, power);
    total += power;
  }
  return {total, largest - (Vec)chosen, ahead & ((Vec)chosen == largest)};
}

template <bool kGradient, int kClasses>
void cross_entropy_of(const float* z, const std::uint8_t* labels, int classes, int n, int stride,
                      float scale, float* dz, double* loss, std::int64_t* correct,
                      ReadAhead& ahead) {
  const IntVec lane = lane_numbers();
  Vec losses = {};
  IntVec right = {};
  constexpr int kGroup = 8 * kLanes;
  for (int group = 0; group < n; group += kGroup) {
    const int end = std::min(n, group + kGroup);
    // The sum of the logarithms is that of the product, at most 256^8.
    Vec product = splat(1.0f);
    IntVec right_here = {};
    for (int first = group; first < end; first += kLanes) {
      fetch_some(ahead);
      const IntVec label = widen(labels + first);
      float* const gradient = kGradient ? dz + first : nullptr;
      Outcome o = outcome_of<kGradient, kClasses>(z + first, label, classes, stride, gradient);
      Vec whole = splat(scale);
      if (n - first < kLanes) {
        const IntVec active = lane < n - first;  // all bits set where the sample exists
        o.normaliser = active ? o.normaliser : splat(1.0f);
        o.margin = active ? o.margin : Vec{};
        o.right &= active;
        whole = active ? whole : Vec{};
      }
      product *= o.normaliser;
      losses += o.margin;
      right_here -= o.right;
      if constexpr (!kGradient) continue;
      const Vec factor = whole / o.normaliser;
      MASE_UNROLL
      for (int c = 0; c < (kClasses > 0 ? kClasses : classes); ++c) {
        float* const to = dz + c * stride + first;
        const Vec d = load(to) * factor;
        store(to, label == c ? d - whole : d);
      }
    }
    losses += logarithm(product);
    if (any(product != product)) [[unlikely]] {
      *correct += count_right(z + group, labels + group, classes, end - group, stride);
    } else {
      right += right_here;
    }
  }
  for (int i = 0; i < kLanes; ++i) {
    *loss += losses[i];
    *correct += right[i];
  }
}

template <bool kGradient, int... kClasses>
constexpr auto forms(std::integer_sequence<int, kClasses...>) {
  return std::array{cross_entropy_of<kGradient, kClasses>...};
}

}  // namespace

void cross_entropy(const float* z, const std::uint8_t* labels, int classes, int n, int stride,
                   float scale, float* dz, double* loss, std::int64_t* correct, ReadAhead& ahead) {
  constexpr std::make_integer_sequence<int, kFewClasses + 1> kCounts;
  static constexpr std::array kForms{forms<false>(kCounts), forms<true>(kCounts)};
  const auto form = static_cast<std::size_t>(classes <= kFewClasses ? classes : 0);
  kForms[dz ? 1 : 0][form](z, labels, classes, n, stride, scale, dz, loss, correct, ahead);
}

void softmax(const float* x, float* y, int features, int n, int stride) {
  for (int v = 0; v < vectors_of(n); ++v) {
    const float* at = x + v * kLanes;
    float* to = y + v * kLanes;
    Vec largest = load(at);
    for (int f = 1; f < features; ++f) {
      const Vec value = load(at + f * stride);
      largest = value > largest ? value : largest;
    }
    Vec normaliser = {};
    for (int f = 0; f < features; ++f) {
      const Vec e = exponential(load(at + f * stride) - largest);
      store(to + f * stride, e);
      normaliser += e;
    }
    for (int f = 0; f < features; ++f) store(to + f * stride, load(to + f * stride) / normaliser);
  }
}

void softmax_gradient(const float* y, const float* dy, float* dx, int features, int n, int stride,
                      bool accumulate) {
  for (int v = 0; v < vectors_of(n); ++v) {
    const int first = v * kLanes;
    Vec dot = {};
    for (int f = 0; f < features; ++f) {
      dot = fma(load(y + f * stride + first), load(dy + f * stride + first), dot);
    }
    for (int f = 0; f < features; ++f) {
      const int at = f * stride + first;
      const Vec value = load(y + at) * (load(dy + at) - dot);
      store(dx + at, accumulate ? load(dx + at) + value : value);
    }
  }
}

}  // namespace mase::engine::native::MASE_ISA
