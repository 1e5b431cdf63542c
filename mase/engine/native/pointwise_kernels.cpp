// Batch norm, activation and fake quantisation in one pass over a tile, and their gradients.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

struct GridVectors {
  explicit GridVectors(const Grid& grid)
      : scale(splat(grid.scale)),
        step(splat(grid.step)),
        low(splat(grid.low)),
        high(splat(grid.high)) {}
  Vec operator()(Vec x) const { return at_most(at_least(round_even(x * scale), low), high) * step; }
  Vec scale, step, low, high;
};

template <typename Function>
Vec by_lane(Vec x, Function function) {
  Vec y;
  for (int i = 0; i < kLanes; ++i) y[i] = function(x[i]);
  return y;
}

// e^x within 2^-50, from additions and products alone: those of the C library differ between
// processors in the last bit. Cody-Waite reduction and the Taylor series up to 13.
double exponential(double x) {
  x = x < -700 ? -700 : x > 700 ? 700 : x;  // NaN stays NaN
  // Adding 1.5 * 2^52 leaves the nearest integer in the last bits, here with the exponent's bias.
  constexpr double kMagic = 6755399441055744.0 + 1023;
  const double shifted = x * 1.4426950408889634 + kMagic;
  const double n = shifted - kMagic;
  const double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double sum = 1;
  for (int k = 13; k > 0; --k) sum = 1 + sum * r / k;
  std::uint64_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits <<= 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return sum * power;
}

float logistic(float x) {
  return static_cast<float>(1 / (1 + exponential(-static_cast<double>(x))));
}
float hyperbolic(float value) {
  const double x = value;
  const double square = x * x;
  if (square < 4e-4) {  // the other form would cancel; this is right to 2^-50
    constexpr double kThird = 1.0 / 3;
    const double rest = 2.0 / 15 - square * (17.0 / 315 - square * (62.0 / 2835));
    return static_cast<float>(x - x * square * (kThird - square * rest));
  }
  return static_cast<float>(1 - 2 / (exponential(2 * x) + 1));
}

template <Activation A>
Vec activate(Vec x, Vec low, Vec high) {
  if constexpr (A == Activation::Relu) return at_least(x, Vec{});
  if constexpr (A == Activation::Clamp) return at_most(at_least(x, low), high);
  if constexpr (A == Activation::Sigmoid) return by_lane(x, logistic);
  if constexpr (A == Activation::Tanh) return by_lane(x, hyperbolic);
  return x;
}

// The derivative times d, given the value x that went in.
template <Activation A>
Vec derivative(Vec x, Vec d, Vec low, Vec high) {
  if constexpr (A == Activation::Relu)
    return x <= Vec{} ? Vec{} : d;  // NaN lets the gradient through
  if constexpr (A == Activation::Clamp) {
    const Vec above = x > low ? d : Vec{};
    return x < high ? above : Vec{};
  }
  if constexpr (A == Activation::Sigmoid) {
    const Vec y = by_lane(x, logistic);
    return d * (splat(1.0f) - y) * y;
  }
  if constexpr (A == Activation::Tanh) {
    const Vec y = by_lane(x, hyperbolic);
    return d * (splat(1.0f) - y * y);
  }
  return d;
}

// Whether a batch norm may carry the scale of the grid behind its ReLU: a power of two, which
// changes no digits unless something overflows. What is not negative then lies above the grid's
// lowest.
bool scales_exactly(float gain, float shift, const Grid& grid) {
  return grid.scale >= 1 && grid.low <= 0 && std::isfinite(gain * grid.scale) &&
         std::isfinite(shift * grid.scale);
}

// Affine, QuantiseIn, QuantiseOut: which parts are there, known when the loop is compiled.
template <Activation A, bool Affine, bool In, bool Out>
void forward(const Pointwise& p, const float* x, float* y, int features, int n, int stride) {
  const GridVectors in(In ? *p.quantise_in : Grid{});
  const GridVectors out(Out ? *p.quantise_out : Grid{});
  const Vec low = splat(p.low);
  const Vec high = splat(p.high);
  const int vectors = vectors_of(n);
  for (int f = 0; f < features; ++f) {
    const Vec gain = splat(Affine ? p.gain[f] : 1.0f);
    const Vec shift = splat(Affine ? p.shift[f] : 0.0f);
    const float* from = x + f * stride;
    float* to = y + f * stride;
    if constexpr (Affine && !In && Out && A == Activation::Relu) {
      if (scales_exactly(p.gain[f], p.shift[f], *p.quantise_out)) {
        const Vec scaled_gain = gain * out.scale;
        const Vec scaled_shift = shift * out.scale;
        by_twos(vectors, [&](int v) {
          const Vec value = fma_once(scaled_gain, load(from + v * kLanes), scaled_shift);
          const Vec code = round_even(at_least(value, Vec{}));
          store(to + v * kLanes, at_most(code, out.high) * out.step);
        });
        continue;
      }
    }
    by_twos(vectors, [&](int v) {
      Vec value = load(from + v * kLanes);
      if constexpr (Affine) value = fma_once(gain, value, shift);
      if constexpr (In) value = in(value);
      value = activate<A>(value, low, high);
      if constexpr (Out) value = out(value);
      store(to + v * kLanes, value);
    });
  }
}

template <Activation A, bool Affine, bool In>
void backward(const Pointwise& p, const float* x, float* d, int features, int n, int stride,
              const float* mean, float* s1, float* s2) {
  const GridVectors in(In ? *p.quantise_in : Grid{});
  const Vec low = splat(p.low);
  const Vec high = splat(p.high);
  const int vectors = vectors_of(n);
  for (int f = 0; f < features; ++f) {
    const Vec gain = splat(Affine ? p.gain[f] : 1.0f);
    const Vec shift = splat(Affine ? p.shift[f] : 0.0f);
    const Vec centre = splat(mean ? mean[f] : 0.0f);
    const float* from = x + f * stride;
    float* to = d + f * stride;
    // Two sums of each kind: one alone would wait for its additions.
    Vec first[2] = {};
    Vec second[2] = {};
    const auto one = [&](int v, int k) {
      const Vec raw = load(from + v * kLanes);
      Vec value = raw;
      if constexpr (Affine) value = fma_once(gain, value, shift);
      if constexpr (In) value = in(value);
      const Vec result = derivative<A>(value, load(to + v * kLanes), low, high);
      store(to + v * kLanes, result);
      first[k] += result;
      second[k] = fma(result, raw - centre, second[k]);
    };
    int v = 0;
    for (; v + 2 <= vectors; v += 2) {
      one(v, 0);
      one(v + 1, 1);
    }
    if (v < vectors) one(v, 0);
    if (!mean) continue;
    sums(first[0] + first[1], second[0] + second[1], s1[f], s2[f]);
  }
}

template <Activation A>
void forward_of(const Pointwise& p, const float* x, float* y, int features, int n, int stride) {
  const int parts = (p.gain ? 4 : 0) + (p.quantise_in ? 2 : 0) + (p.quantise_out ? 1 : 0);
  constexpr decltype(&forward<A, false, false, false>) kForms[] = {
      forward<A, false, false, false>, forward<A, false, false, true>,
      forward<A, false, true, false>,  forward<A, false, true, true>,
      forward<A, true, false, false>,  forward<A, true, false, true>,
      forward<A, true, true, false>,   forward<A, true, true, true>};
  kForms[parts](p, x, y, features, n, stride);
}

template <Activation A>
void backward_of(const Pointwise& p, const float* x, float* d, int features, int n, int stride,
                 const float* mean, float* s1, float* s2) {
  const int parts = (p.gain ? 2 : 0) + (p.quantise_in ? 1 : 0);
  constexpr decltype(&backward<A, false, false>) kForms[] = {
      backward<A, false, false>, backward<A, false, true>, backward<A, true, false>,
      backward<A, true, true>};
  kForms[parts](p, x, d, features, n, stride, mean, s1, s2);
}

}  // namespace

void pointwise(const Pointwise& p, const float* x, float* y, int features, int n, int stride) {
  switch (p.activation) {
    case Activation::None:
      return forward_of<Activation::None>(p, x, y, features, n, stride);
    case Activation::Relu:
      return forward_of<Activation::Relu>(p, x, y, features, n, stride);
    case Activation::Clamp:
      return forward_of<Activation::Clamp>(p, x, y, features, n, stride);
    case Activation::Sigmoid:
      return forward_of<Activation::Sigmoid>(p, x, y, features, n, stride);
    case Activation::Tanh:
      return forward_of<Activation::Tanh>(p, x, y, features, n, stride);
  }
}

void pointwise_gradient(const Pointwise& p, const float* x, float* d, int features, int n,
                        int stride, const float* mean, float* s1, float* s2) {
  const auto run = [&](auto function) { function(p, x, d, features, n, stride, mean, s1, s2); };
  switch (p.activation) {
    case Activation::None:
      return run(backward_of<Activation::None>);
    case Activation::Relu:
      return run(backward_of<Activation::Relu>);
    case Activation::Clamp:
      return run(backward_of<Activation::Clamp>);
    case Activation::Sigmoid:
      return run(backward_of<Activation::Sigmoid>);
    case Activation::Tanh:
      return run(backward_of<Activation::Tanh>);
  }
}

void quantise(const Grid& grid, const float* x, float* y, std::int64_t count) {
  const GridVectors to_grid(grid);
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const Vec value = to_grid(load_unaligned(x + i));
    std::memcpy(y + i, &value, sizeof value);
  }
  if (i == count) return;
  const std::size_t rest = static_cast<std::size_t>(count - i) * sizeof(float);
  Vec value = {};
  std::memcpy(&value, x + i, rest);
  value = to_grid(value);
  std::memcpy(y + i, &value, rest);
}

void binary(char op, const float* a, const float* b, float* y, int features, int n, int stride) {
  for (int f = 0; f < features; ++f) {
    for (int v = 0; v < vectors_of(n); ++v) {
      const int at = f * stride + v * kLanes;
      const Vec p = load(a + at);
      const Vec q = load(b + at);
      store(y + at, op == '+' ? p + q : op == '-' ? p - q : p * q);
    }
  }
}

void affine(float factor, float offset, const float* x, float* y, int features, int n, int stride) {
  const Vec k = splat(factor);
  const Vec b = splat(offset);
  for (int f = 0; f < features; ++f) {
    for (int v = 0; v < vectors_of(n); ++v) {
      const int at = f * stride + v * kLanes;
      store(y + at, k * load(x + at) + b);
    }
  }
}

void scale_add(float k, const float* x, float* y, int features, int n, int stride,
               bool accumulate) {
  const Vec factor = splat(k);
  for (int f = 0; f < features; ++f) {
    for (int v = 0; v < vectors_of(n); ++v) {
      const int at = f * stride + v * kLanes;
      const Vec value = factor * load(x + at);
      store(y + at, accumulate ? load(y + at) + value : value);
    }
  }
}

void multiply_add(const float* a, const float* b, float* y, int features, int n, int stride,
                  bool accumulate) {
  for (int f = 0; f < features; ++f) {
    for (int v = 0; v < vectors_of(n); ++v) {
      const int at = f * stride + v * kLanes;
      const Vec value = load(a + at) * load(b + at);
      store(y + at, accumulate ? load(y + at) + value : value);
    }
  }
}

}  // namespace mase::engine::native::MASE_ISA
