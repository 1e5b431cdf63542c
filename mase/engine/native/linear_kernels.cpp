// Linear layers on [feature][sample] tiles: a register block of outputs x vectors of samples, with
// the weights broadcast. The gradient with respect to the input is the same kernel with the
// strides of the weight swapped; the one with respect to the weight accumulates over the samples in
// vectors and adds the lanes once at the end.
#include <type_traits>

#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

// One block: R rows of the result, C vectors of samples. w[r * row + k * step].
template <int R, int C>
inline void block(const float* w, std::ptrdiff_t row, std::ptrdiff_t step, const float* b,
                  const float* x, float* y, int depth, int stride, bool accumulate) {
  Vec acc[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      acc[r][c] = accumulate ? load(y + r * stride + c * kLanes) : splat(b ? b[r] : 0.0f);
    }
  }
  for (int k = 0; k < depth; ++k) {
    Vec in[C];
    for (int c = 0; c < C; ++c) {
      in[c] = load(x + k * stride + c * kLanes);
      pin(in[c]);
    }
    for (int r = 0; r < R; ++r) {
      const Vec weight = splat(w[r * row + k * step]);
      for (int c = 0; c < C; ++c) acc[r][c] = fma(weight, in[c], acc[r][c]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) store(y + r * stride + c * kLanes, acc[r][c]);
  }
}

template <int R>
inline void rows(const float* w, std::ptrdiff_t row, std::ptrdiff_t step, const float* b,
                 const float* x, float* y, int depth, int vectors, int stride, bool accumulate) {
  int v = 0;
  for (; v + 4 <= vectors; v += 4) {
    block<R, 4>(w, row, step, b, x + v * kLanes, y + v * kLanes, depth, stride, accumulate);
  }
  for (; v + 2 <= vectors; v += 2) {
    block<R, 2>(w, row, step, b, x + v * kLanes, y + v * kLanes, depth, stride, accumulate);
  }
  for (; v < vectors; ++v) {
    block<R, 1>(w, row, step, b, x + v * kLanes, y + v * kLanes, depth, stride, accumulate);
  }
}

// Registers: AVX-512 has 32, so 5 x 4 accumulators leave room for inputs and the weight; the
// smaller sets have 16.
constexpr int kRows = kLanes == 16 ? 5 : 2;

void multiply(const float* w, std::ptrdiff_t row, std::ptrdiff_t step, const float* b,
              const float* x, float* y, int depth, int results, int n, int stride,
              bool accumulate) {
  const int vectors = (n + kLanes - 1) / kLanes;
  int r = 0;
  const auto at = [&](auto count) {
    constexpr int kCount = decltype(count)::value;
    rows<kCount>(w + r * row, row, step, b ? b + r : nullptr, x, y + r * stride, depth, vectors,
                 stride, accumulate);
    r += kCount;
  };
  if constexpr (kRows == 5) {
    // 8 = 4 + 4 rather than 5 + 3: equal blocks keep both multipliers busy.
    while (results - r >= 9 || results - r == 5) at(std::integral_constant<int, 5>{});
    while (results - r >= 4) at(std::integral_constant<int, 4>{});
    if (results - r == 3) at(std::integral_constant<int, 3>{});
  }
  while (results - r >= 2) at(std::integral_constant<int, 2>{});
  if (results - r == 1) at(std::integral_constant<int, 1>{});
}

// dw[o][i] for a block of O outputs x I inputs.
template <int O, int I>
inline void weight_block(const float* dy, const float* x, float* dw, int inputs, int vectors,
                         int stride) {
  Vec acc[O][I] = {};
  for (int v = 0; v < vectors; ++v) {
    Vec in[I];
    for (int i = 0; i < I; ++i) {
      in[i] = load(x + i * stride + v * kLanes);
      pin(in[i]);
    }
    for (int o = 0; o < O; ++o) {
      Vec d = load(dy + o * stride + v * kLanes);
      pin(d);
      for (int i = 0; i < I; ++i) acc[o][i] = fma(d, in[i], acc[o][i]);
    }
  }
  if constexpr (O * I == 16) {
    Vec flat[16];
    float* to[16];
    for (int k = 0; k < 16; ++k) {
      flat[k] = acc[k / I][k % I];
      to[k] = dw + (k / I) * inputs + k % I;
    }
    add_sums(flat, to);
  } else {
    for (int o = 0; o < O; ++o) {
      for (int i = 0; i < I; ++i) dw[o * inputs + i] += sum(acc[o][i]);
    }
  }
}

template <int O>
inline void weight_rows(const float* dy, const float* x, float* dw, int inputs, int vectors,
                        int stride) {
  constexpr int kWide = kLanes == 16 ? 4 : 2;
  int i = 0;
  for (; i + kWide <= inputs; i += kWide) {
    weight_block<O, kWide>(dy, x + i * stride, dw + i, inputs, vectors, stride);
  }
  for (; i < inputs; ++i) weight_block<O, 1>(dy, x + i * stride, dw + i, inputs, vectors, stride);
}

}  // namespace

void linear(const float* w, const float* b, const float* x, float* y, int inputs, int outputs,
            int n, int stride) {
  multiply(w, inputs, 1, b, x, y, inputs, outputs, n, stride, false);
}

void linear_input_gradient(const float* w, const float* dy, float* dx, int inputs, int outputs,
                           int n, int stride, bool accumulate) {
  multiply(w, 1, inputs, nullptr, dy, dx, outputs, inputs, n, stride, accumulate);
}

void linear_weight_gradient(const float* dy, const float* x, float* dw, float* db, int inputs,
                            int outputs, int n, int stride) {
  const int vectors = (n + kLanes - 1) / kLanes;
  int o = 0;
  for (; o + 4 <= outputs; o += 4) {
    weight_rows<4>(dy + o * stride, x, dw + o * inputs, inputs, vectors, stride);
  }
  for (; o < outputs; ++o) {
    weight_rows<1>(dy + o * stride, x, dw + o * inputs, inputs, vectors, stride);
  }
  if (!db) return;
  for (o = 0; o < outputs; ++o) {
    Vec acc = {};
    for (int v = 0; v < vectors; ++v) acc += load(dy + o * stride + v * kLanes);
    db[o] += sum(acc);
  }
}

}  // namespace mase::engine::native::MASE_ISA
