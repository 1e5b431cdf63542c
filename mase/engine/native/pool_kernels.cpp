// Poolings of [height, width][sample] planes by tables of windows, and their gradients.
#include <algorithm>
#include <limits>

#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

// The entries of a window, as distances from its base in floats: T of them, or any number for 0.
template <int T>
struct Reach {
  explicit Reach(const Windows& windows, const Patch& patch, int stride)
      : taps_(windows.taps.data() + patch.first_tap), count_(patch.taps), stride_(stride) {
    for (int t = 0; t < T; ++t) offsets_[t] = taps_[t].offset * stride_;
  }
  int size() const { return T ? T : count_; }
  std::ptrdiff_t operator[](int t) const { return T ? offsets_[t] : taps_[t].offset * stride_; }

 private:
  const Tap* taps_;
  int count_;
  std::ptrdiff_t stride_;
  std::ptrdiff_t offsets_[T ? T : 1];
};

template <int T, typename Work>
inline void each_pixel_of(const Windows& windows, const Patch& patch, int n, int stride,
                          const Work& work) {
  const Reach<T> reach(windows, patch, stride);
  const int vectors = vectors_of(n);
  for (int y = 0; y < patch.rows; ++y) {
    std::ptrdiff_t in = std::ptrdiff_t{patch.in + y * patch.in_row} * stride;
    std::ptrdiff_t out = std::ptrdiff_t{patch.out + y * patch.out_row} * stride;
    for (int x = 0; x < patch.columns; ++x) {
      for (int v = 0; v < vectors; ++v) work(reach, in + v * kLanes, out + v * kLanes);
      in += std::ptrdiff_t{patch.in_column} * stride;
      out += std::ptrdiff_t{patch.out_column} * stride;
    }
  }
}

// work(reach, base of the window, output) for every vector of samples of every pixel of a patch;
// the loops over small windows are unrolled.
template <typename Work>
inline void each_pixel(const Windows& windows, const Patch& patch, int n, int stride,
                       const Work& work) {
  if (patch.taps == 2) return each_pixel_of<2>(windows, patch, n, stride, work);
  if (patch.taps == 4) return each_pixel_of<4>(windows, patch, n, stride, work);
  if (patch.taps == 9) return each_pixel_of<9>(windows, patch, n, stride, work);
  each_pixel_of<0>(windows, patch, n, stride, work);
}

template <bool Once>
void max_gradient(const Windows& windows, const float* x, const float* y, const float* d, float* dx,
                  int n, int stride) {
  const auto pixel = [&](const auto& reach, std::ptrdiff_t in, std::ptrdiff_t out) {
    const Vec largest = load(y + out);
    Vec slope = load(d + out);  // what no entry has taken yet
    for (int t = 0; t < reach.size(); ++t) {
      const std::ptrdiff_t at = in + reach[t];
      const auto found = load(x + at) == largest;
      const Vec share = found ? slope : Vec{};
      slope = found ? Vec{} : slope;
      store(dx + at, Once ? share : load(dx + at) + share);
    }
  };
  for (const Patch& patch : windows.patches) each_pixel(windows, patch, n, stride, pixel);
}

template <bool Once>
void average_gradient(const Windows& windows, const float* d, float* dx, int n, int stride) {
  for (const Patch& patch : windows.patches) {
    const Vec factor = splat(patch.factor);
    each_pixel(windows, patch, n, stride,
               [&](const auto& reach, std::ptrdiff_t in, std::ptrdiff_t out) {
                 const Vec share = load(d + out) * factor;
                 for (int t = 0; t < reach.size(); ++t) {
                   float* to = dx + in + reach[t];
                   store(to, Once ? share : load(to) + share);
                 }
               });
  }
}

}  // namespace

// NaN wins, as in LibTorch; a window of nothing but padding gives minus infinity.
void max_pool(const Windows& windows, const float* x, float* y, int n, int stride) {
  const auto pixel = [&](const auto& reach, std::ptrdiff_t in, std::ptrdiff_t out) {
    Vec largest = splat(-std::numeric_limits<float>::infinity());
    for (int t = 0; t < reach.size(); ++t) {
      const Vec value = load(x + in + reach[t]);
      const auto larger = (value > largest) | (value != value);
      largest = larger ? value : largest;
    }
    store(y + out, largest);
  };
  for (const Patch& patch : windows.patches) each_pixel(windows, patch, n, stride, pixel);
}

// The first of equal entries gets the gradient.
void max_pool_gradient(const Windows& windows, const float* x, const float* y, const float* d,
                       float* dx, int n, int stride, bool once) {
  (once ? max_gradient<true> : max_gradient<false>)(windows, x, y, d, dx, n, stride);
}

void average_pool(const Windows& windows, const float* x, float* y, int n, int stride) {
  for (const Patch& patch : windows.patches) {
    const Vec factor = splat(patch.factor);
    each_pixel(windows, patch, n, stride,
               [&](const auto& reach, std::ptrdiff_t in, std::ptrdiff_t out) {
                 Vec total = {};
                 for (int t = 0; t < reach.size(); ++t) total += load(x + in + reach[t]);
                 store(y + out, total * factor);
               });
  }
}

void average_pool_gradient(const Windows& windows, const float* d, float* dx, int n, int stride,
                           bool once) {
  (once ? average_gradient<true> : average_gradient<false>)(windows, d, dx, n, stride);
}

}  // namespace mase::engine::native::MASE_ISA
