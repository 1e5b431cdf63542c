// Softmax and cross entropy with vector exp and log: Cody-Waite reduction and minimax polynomials,
// within 2 units in the last place of the exact value over the range they are used in.
#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

int vectors_of(int n) {
  return (n + kLanes - 1) / kLanes;
}

// e^x for x <= 0 (larger values up to 88 also work); below -87.3 the result is 0.
Vec exponential(Vec x) {
  const Vec lowest = splat(-87.3f);
  const Vec kept = at_least(x, lowest);
  const Vec n = round_even(kept * splat(1.44269504088896341f));
  Vec r = fma(n, splat(-0.693359375f), kept);
  r = fma(n, splat(2.12194440e-4f), r);
  Vec p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = fma(p * r, r, r + splat(1.0f));
  const IntVec exponent = (__builtin_convertvector(n, IntVec) + 127) << 23;
  const Vec result = p * (Vec)exponent;
  return x < lowest ? Vec{} : (x == x ? result : x);
}

// ln x for finite x >= 1.
Vec logarithm(Vec x) {
  IntVec bits = (IntVec)x;
  // Mantissa in [sqrt(1/2), sqrt(2)): the exponent is rounded to the nearest power of two.
  const IntVec shifted = bits - 0x3f3504f3;
  const IntVec exponent = shifted >> 23;
  const Vec mantissa = (Vec)((shifted & 0x007fffff) + 0x3f3504f3);
  const Vec f = mantissa - splat(1.0f);
  const Vec e = __builtin_convertvector(exponent, Vec);
  Vec p = splat(7.0376836292e-2f);
  p = fma(p, f, splat(-1.1514610310e-1f));
  p = fma(p, f, splat(1.1676998740e-1f));
  p = fma(p, f, splat(-1.2420140846e-1f));
  p = fma(p, f, splat(1.4249322787e-1f));
  p = fma(p, f, splat(-1.6668057665e-1f));
  p = fma(p, f, splat(2.0000714765e-1f));
  p = fma(p, f, splat(-2.4999993993e-1f));
  p = fma(p, f, splat(3.3333331174e-1f));
  const Vec square = f * f;
  Vec y = f * square * p;
  y = fma(e, splat(-2.12194440e-4f), y);
  y = fma(square, splat(-0.5f), y);
  const Vec result = fma(e, splat(0.693359375f), f + y);
  return x == x ? result : x;
}

}  // namespace

void cross_entropy(const float* z, const std::uint8_t* labels, int classes, int n, int stride,
                   float scale, float* dz, double* loss, std::int64_t* correct) {
  typedef std::uint8_t ByteVec __attribute__((vector_size(kLanes)));
  IntVec lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  Vec losses = {};
  IntVec right = {};
  for (int first = 0; first < n; first += kLanes) {
    const IntVec active = lane < n - first;  // all bits set where the sample exists
    ByteVec bytes;
    std::memcpy(&bytes, labels + first, sizeof bytes);
    const IntVec label = __builtin_convertvector(bytes, IntVec);
    const float* at = z + first;
    Vec largest = load(at);
    IntVec decided = {};
    Vec chosen = largest;
    for (int c = 1; c < classes; ++c) {
      const Vec logit = load(at + c * stride);
      // NaN wins and stays, as in a maximum that propagates it.
      const IntVec better = (logit > largest) | ((logit != logit) & (largest == largest));
      largest = better ? logit : largest;
      decided = better ? IntVec{} + c : decided;
      chosen = label == c ? logit : chosen;
    }
    // The exponentials wait in dz, which they become.
    float* const to = dz ? dz + first : nullptr;
    Vec normaliser = {};
    for (int c = 0; c < classes; ++c) {
      const Vec e = exponential(load(at + c * stride) - largest);
      normaliser += e;
      if (to) store(to + c * stride, e);
    }
    const Vec each = logarithm(normaliser) + largest - chosen;
    losses += active ? each : Vec{};
    right -= (decided == label) & active;
    if (!to) continue;
    const Vec factor = active ? splat(scale) / normaliser : Vec{};
    const Vec whole = active ? splat(scale) : Vec{};
    for (int c = 0; c < classes; ++c) {
      const Vec d = load(to + c * stride) * factor;
      store(to + c * stride, label == c ? d - whole : d);
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
