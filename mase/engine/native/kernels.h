#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mase/engine/native/windows.h"

// The arithmetic of the native engine on one tile: arrays [feature][stride] of float32, of which
// the first `n` samples of every feature are valid. Pointers are aligned to 64 bytes, strides are
// multiples of 16. Lanes from n up to the next multiple of 16 may be read and written; gradients
// are kept at zero there so that sums over whole vectors are right.
namespace mase::engine::native {

enum class Activation { None, Relu, Clamp, Sigmoid, Tanh };

// Fake quantisation to fixed point: clamp(round(x * scale), low, high) * step; step = 1 / scale.
struct Grid {
  float scale;
  float step;
  float low;
  float high;
};

// out = quantise_out(activation(quantise_in(gain * x + shift))). Null pointers leave a part out.
struct Pointwise {
  const float* gain = nullptr;  // per feature: batch norm, folded
  const float* shift = nullptr;
  const Grid* quantise_in = nullptr;
  Activation activation = Activation::None;
  float low = 0;  // bounds of Clamp
  float high = 0;
  const Grid* quantise_out = nullptr;
};

struct AdamStep {
  float rate;             // learning rate / (1 - beta1^t)
  float root_correction;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
  float beta1;
  float beta2;
  float one_minus_beta1;  // formed in double: 1 - 0.999f is off by 1.3e-5
  float one_minus_beta2;
  float weight_decay;  // L2, added to the gradient
  float keep;          // decoupled decay: 1 - lr * decay, else 1
};

struct SgdStep {
  float rate;
  float momentum;
  float weight_decay;
  bool nesterov;
  bool first;  // the momentum buffer starts as the gradient
};

// Means and sums of squared deviations of every channel, tile by tile: [tile][pitch].
struct TileMoments {
  const float* mean = nullptr;
  const float* m2 = nullptr;
  int tiles = 1;
  std::ptrdiff_t pitch = 0;
  double count = 0;  // values of a channel in a tile, and in the last one
  double last_count = 0;
};

// What normalises a batch, per channel: gain = gamma / sigma, shift = beta - mean gain. (Of all
// arrays by channel up to 15 numbers behind the last channel may be read.)
struct NormFold {
  int channels = 0;
  TileMoments moments;
  double epsilon = 0;
  double momentum = 0;
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float* mean = nullptr;
  float* inverse = nullptr;  // 1 / sigma
  float* gain = nullptr;
  float* shift = nullptr;
  float* running_mean = nullptr;  // null: they stay
  float* running_var = nullptr;
};

// dx = gamma / sigma * (d - mean(d) - (x - mu) mean(d (x - mu)) / sigma^2) as a d + b x + c.
struct NormGradientFold {
  int channels = 0;
  int area = 1;               // features of a channel
  const float* s1 = nullptr;  // sum d and sum d (x - mean) by feature: [tile][pitch]
  const float* s2 = nullptr;
  int tiles = 1;
  std::ptrdiff_t pitch = 0;
  double count = 0;             // values of a channel in the batch
  const float* mean = nullptr;  // by channel, from here on
  const float* inverse = nullptr;
  const float* gain = nullptr;
  float* a = nullptr;
  float* b = nullptr;
  float* c = nullptr;
  float* dgamma = nullptr;  // added to
  float* dbeta = nullptr;
};

// What a later step will read, lines of 64 bytes, for kernels to fetch into the cache on the way,
// each as many as it has time for: it leaves the rest. Only a hint.
struct ReadAhead {
  const char* at = nullptr;
  int lines = 0;
};

struct Kernels {
  std::string_view name;  // "avx512", "avx2", "avx2_wide", "portable", "portable_wide"
  int lanes;              // floats of a vector

  // x[f][s] = table[rows[s] * features + f]
  void (*gather)(const float* table, const std::uint32_t* rows, int n, int features, float* x,
                 int stride);
  // Whether rows lie one behind the other, as those of an evaluation mostly do; no rows do not.
  bool (*consecutive)(const std::uint32_t* rows, std::int64_t n);
  // y[o] = sum_i w[o][i] x[i] + b[o] (b may be null). w row-major [outputs][inputs].
  void (*linear)(const float* w, const float* b, const float* x, float* y, int inputs, int outputs,
                 int n, int stride);
  // dx[i] (+)= sum_o w[o][i] dy[o]
  void (*linear_input_gradient)(const float* w, const float* dy, float* dx, int inputs, int outputs,
                                int n, int stride, bool accumulate);
  // dw[o][i] += sum_s dy[o][s] x[i][s];  db[o] += sum_s dy[o][s] (db may be null)
  void (*linear_weight_gradient)(const float* dy, const float* x, float* dw, float* db, int inputs,
                                 int outputs, int n, int stride);
  // The same for tiles of few samples: the inputs, transposed into `scratch` (n rows of the inputs
  // padded to 16), go into the lanes, so that no lanes need adding up.
  void (*linear_weight_gradient_narrow)(const float* dy, const float* x, float* dw, float* db,
                                        int inputs, int outputs, int n, int stride, float* scratch);
  // y[r, out] (+)= b[r] + sum over the taps of out's window of w[r * row + tap] x[tap], for
  // `results` planes of `area` features each (b may be null, and is left out when adding).
  void (*convolve)(const Windows& windows, const float* w, std::ptrdiff_t row, const float* b,
                   const float* x, float* y, int results, int area, int n, int stride,
                   bool accumulate);
  // sums[r * row + tap] += d[r, out] x[tap] lane by lane, a vector for each, to be added up by
  // add_lanes; db[r] += sum over out and samples of d (db may be null).
  void (*convolve_weight_gradient)(const Windows& windows, const float* d, const float* x,
                                   float* sums, std::ptrdiff_t row, float* db, int results,
                                   int area, int n, int stride);
  // out[i] += the sum of the i-th vector of `lanes`, which is zero afterwards.
  void (*add_lanes)(float* lanes, float* out, std::int64_t count);
  // One plane in, one plane out. Gradients are added to dx, or, `once`, set: then every entry lies
  // in exactly one window.
  void (*max_pool)(const Windows& windows, const float* x, float* y, int n, int stride);
  void (*max_pool_gradient)(const Windows& windows, const float* x, const float* y, const float* d,
                            float* dx, int n, int stride, bool once);
  void (*average_pool)(const Windows& windows, const float* x, float* y, int n, int stride);
  void (*average_pool_gradient)(const Windows& windows, const float* d, float* dx, int n,
                                int stride, bool once);
  // Mean and sum of squared deviations of every channel over area x n values.
  void (*channel_moments)(const float* x, int channels, int area, int n, int stride, float* mean,
                          float* m2);
  // Mean and sum of squared deviations of every feature over the n samples.
  void (*moments)(const float* x, int features, int n, int stride, float* mean, float* m2);
  void (*pointwise)(const Pointwise& p, const float* x, float* y, int features, int n, int stride);
  // y = x on the grid, `count` numbers anywhere in memory; may be in place.
  void (*quantise)(const Grid& grid, const float* x, float* y, std::int64_t count);
  // d <- d * activation'(...), recomputed from x; with `mean`, also sums per feature
  // s1[f] = sum d, s2[f] = sum d (x - mean).
  void (*pointwise_gradient)(const Pointwise& p, const float* x, float* d, int features, int n,
                             int stride, const float* mean, float* s1, float* s2);
  void (*fold_moments)(const NormFold& fold);
  void (*fold_gradient)(const NormGradientFold& fold);
  // dx[f] (+)= a[f] d + b[f] x + c[f], zero in lanes from n on.
  void (*normalise_gradient)(const float* a, const float* b, const float* c, const float* d,
                             const float* x, float* dx, int features, int n, int stride,
                             bool accumulate);
  // Softmax cross entropy over `classes` rows of z: loss is the sum over samples, `correct` the
  // number whose first largest logit is the label; dz = (softmax - onehot) * scale (null: no dz).
  void (*cross_entropy)(const float* z, const std::uint8_t* labels, int classes, int n, int stride,
                        float scale, float* dz, double* loss, std::int64_t* correct,
                        ReadAhead& ahead);
  // y = a (op) b element by element; op '+', '-', '*'.
  void (*binary)(char op, const float* a, const float* b, float* y, int features, int n,
                 int stride);
  // y = factor x + offset
  void (*affine)(float factor, float offset, const float* x, float* y, int features, int n,
                 int stride);
  // y (+)= k x, and y (+)= x1 x2: gradients of the above.
  void (*scale_add)(float k, const float* x, float* y, int features, int n, int stride,
                    bool accumulate);
  void (*multiply_add)(const float* a, const float* b, float* y, int features, int n, int stride,
                       bool accumulate);
  void (*softmax)(const float* x, float* y, int features, int n, int stride);
  // dx (+)= y (dy - sum_f y dy)
  void (*softmax_gradient)(const float* y, const float* dy, float* dx, int features, int n,
                           int stride, bool accumulate);
  // Flat arrays of `count` floats, padded to 16; the gradient is zeroed behind.
  void (*adam)(const AdamStep& step, float* parameter, float* gradient, float* m, float* v,
               std::int64_t count);
  void (*sgd)(const SgdStep& step, float* parameter, float* gradient, float* momentum,
              std::int64_t count);
};

// The best set this machine runs, or the one named in MASE_NATIVE_ISA (avx512, avx2, portable).
// Throws Error{Usage} for a name that is none, or of a set this machine lacks, naming those it has.
const Kernels& kernels();
// The same for a given name; "" = the best.
const Kernels& choose_kernels(std::string_view wanted);
// The set for results that do not depend on the machine: sixteen lanes, which kernels() has itself
// under AVX-512, and fused multiply-adds. All of them give the same bits.
const Kernels& wide_kernels();
// For tests and benchmarks: by name; null if this machine or build does not have it.
const Kernels* find_kernels(std::string_view name);

}  // namespace mase::engine::native
