// Softmax and cross entropy with vector exp and log: Cody-Waite reduction and minimax polynomials,
// within 2 units in the last place of the exact value over the range they are used in.
#include <algorithm>
#include <cmath>

#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

int vectors_of(int n) {
  return (n + kLanes - 1) / kLanes;
}

// The polynomials are summed in pairs (Estrin), not one coefficient after the other: the chain of
// operations, which is what these functions wait for, is half as long.

// e^x for x <= 0 (larger values up to 88 also work); below -87.3 the result is 0.
Vec exponential(Vec x) {
  // Adding 1.5 * 2^23 leaves the nearest integer in the last bits.
  const Vec magic = splat(12582912.0f);
  const Vec shifted = fma(x, splat(1.44269504088896341f), magic);
  const Vec n = shifted - magic;
  Vec r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  const Vec square = r * r;
  const Vec high = fma(splat(1.9875691500e-4f), r, splat(1.3981999507e-3f));
  const Vec middle = fma(splat(8.3334519073e-3f), r, splat(4.1665795894e-2f));
  const Vec low = fma(splat(1.6666665459e-1f), r, splat(5.0000001201e-1f));
  const Vec p = fma(fma(high, square, middle), square, low);
  const Vec mantissa = fma(p, square, r + splat(1.0f));
  const Vec power = (Vec)(((IntVec)shifted + 127) << 23);
  const IntVec vanishes = x < splat(-87.3f);  // not where x is NaN: there the mantissa is NaN too
  return (Vec)((IntVec)(mantissa * power) & ~vanishes);
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

// The vector loop decides no sample whose normaliser is not a number. Of these: the first NaN wins,
// as in a maximum that propagates it, else the first infinity.
std::int64_t decided_by_infinity(const float* z, const std::uint8_t* labels, Vec normaliser,
                                 int classes, int n, int stride) {
  std::int64_t correct = 0;
  for (int s = 0; s < n; ++s) {
    if (!std::isnan(normaliser[s])) continue;
    int decided = 0;
    for (int c = 1; c < classes; ++c) {
      const float best = z[decided * stride + s];
      const float logit = z[c * stride + s];
      if (logit > best || (std::isnan(logit) && !std::isnan(best))) decided = c;
    }
    correct += decided == labels[s];
  }
  return correct;
}

// For K vectors of samples from vector `v` on: the sum of e^(logit - largest), the distance of the
// label's logit from the largest, and whether the label is the first largest (no NaN about). The
// exponentials are left in `e`, where the gradient is made of them. Each vector is one long chain
// of operations; several at a time overlap.
template <int K>
void exponentials(const float* z, const std::uint8_t* labels, int v, int classes, int stride,
                  float* e, Vec* normaliser, Vec* margin, IntVec* decided) {
  const int first = v * kLanes;
  const float* at = z + first;
  IntVec label[K];
  Vec largest[K];
  Vec chosen[K];
  for (int k = 0; k < K; ++k) {
    label[k] = widen(labels + first + k * kLanes);
    largest[k] = chosen[k] = load(at + k * kLanes);
  }
  for (int c = 1; c < classes; ++c) {
    for (int k = 0; k < K; ++k) {
      const Vec logit = load(at + c * stride + k * kLanes);
      largest[k] = at_least(logit, largest[k]);
      chosen[k] = label[k] == c ? logit : chosen[k];
    }
  }
  Vec total[K] = {};
  IntVec taken[K] = {};  // an earlier class is as likely as the label
  for (int c = 0; c < classes; ++c) {
    Vec power[K];
    for (int k = 0; k < K; ++k) {
      const Vec logit = load(at + c * stride + k * kLanes);
      taken[k] |= (logit == largest[k]) & (label[k] > c);
      power[k] = exponential(logit - largest[k]);
      total[k] += power[k];
    }
    if (!e) continue;
    for (int k = 0; k < K; ++k) store(e + c * stride + first + k * kLanes, power[k]);
  }
  for (int k = 0; k < K; ++k) {
    normaliser[k] = total[k];
    margin[k] = largest[k] - chosen[k];
    decided[k] = (chosen[k] == largest[k]) & ~taken[k];
  }
}

}  // namespace

void cross_entropy(const float* z, const std::uint8_t* labels, int classes, int n, int stride,
                   float scale, float* dz, double* loss, std::int64_t* correct) {
  IntVec lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  Vec losses = {};
  IntVec right = {};
  constexpr int kGroup = 8;
  for (int group = 0; group < n; group += kGroup * kLanes) {
    const int vectors = std::min(kGroup, vectors_of(n - group));
    Vec normaliser[kGroup];
    Vec margin[kGroup];
    IntVec decided[kGroup];
    float* const e = dz ? dz + group : nullptr;
    int v = 0;
    for (; v + 2 <= vectors; v += 2) {
      exponentials<2>(z + group, labels + group, v, classes, stride, e, normaliser + v, margin + v,
                      decided + v);
    }
    if (v < vectors) {
      exponentials<1>(z + group, labels + group, v, classes, stride, e, normaliser + v, margin + v,
                      decided + v);
    }
    // The sum of the logarithms is that of the product, at most 255^8 (a byte of classes).
    Vec product = splat(1.0f);
    for (v = 0; v < vectors; ++v) {
      const int first = group + v * kLanes;
      const IntVec active = lane < n - first;  // all bits set where the sample exists
      product *= active ? normaliser[v] : splat(1.0f);
      losses += active ? margin[v] : Vec{};
      right -= decided[v] & (normaliser[v] == normaliser[v]) & active;
      if (any((normaliser[v] != normaliser[v]) & active)) [[unlikely]] {
        *correct += decided_by_infinity(z + first, labels + first, normaliser[v], classes,
                                        std::min(n - first, kLanes), stride);
      }
    }
    losses += logarithm(product);
    for (v = 0; v < vectors && dz; ++v) {
      const int first = group + v * kLanes;
      const IntVec active = lane < n - first;
      const IntVec label = widen(labels + first);
      const Vec factor = active ? splat(scale) / normaliser[v] : Vec{};
      const Vec whole = active ? splat(scale) : Vec{};
      for (int c = 0; c < classes; ++c) {
        float* const to = dz + c * stride + first;
        const Vec d = load(to) * factor;
        store(to, label == c ? d - whole : d);
      }
    }
  }
  for (int i = 0; i < kLanes; ++i) {
    *loss += losses[i];
    *correct += right[i];
  }
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
