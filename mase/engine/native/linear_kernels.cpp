// Linear layers on [feature][sample] tiles: a register block of outputs x vectors of samples, with
// the weights broadcast. The gradient with respect to the input is the same kernel with the
// strides of the weight swapped; the one with respect to the weight accumulates over the samples in
// vectors and adds the lanes once at the end.
#include <type_traits>

#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

// What a block of results starts from: a bias per row (or zero), or what is there already.
enum class Start { Zero, Bias, Accumulate };

// One block: R rows of the result, C vectors of samples. w[r * row + k * step]; depth >= 1, which
// the loop makes use of: a path for no pass at all would cost the compiler copies of the registers.
template <int R, int C, Start kStart>
inline void block(const float* w, std::ptrdiff_t row, std::ptrdiff_t step, const float* b,
                  const float* x, float* y, std::ptrdiff_t depth, std::ptrdiff_t stride) {
  Vec acc[R][C];
  for (int r = 0; r < R; ++r) {
    const Vec first = kStart == Start::Bias ? splat(b[r]) : Vec{};
    for (int c = 0; c < C; ++c) {
      acc[r][c] = kStart == Start::Accumulate ? load(y + r * stride + c * kLanes) : first;
    }
  }
  const float* const end = x + depth * stride;
  do {
    Vec in[C];
    for (int c = 0; c < C; ++c) {
      in[c] = load(x + c * kLanes);
      pin(in[c]);
    }
    for (int r = 0; r < R; ++r) {
      const Vec weight = splat(w[r * row]);
      for (int c = 0; c < C; ++c) acc[r][c] = fma(weight, in[c], acc[r][c]);
    }
    x += stride;
    w += step;
  } while (x != end);
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) store(y + r * stride + c * kLanes, acc[r][c]);
  }
}

template <int R, Start kStart>
inline void rows(const float* w, std::ptrdiff_t row, std::ptrdiff_t step, const float* b,
                 const float* x, float* y, int depth, int vectors, int stride) {
  int v = 0;
  for (; kRegisters >= 16 && v + 4 <= vectors; v += 4) {
    block<R, 4, kStart>(w, row, step, b, x + v * kLanes, y + v * kLanes, depth, stride);
  }
  for (; kRegisters >= 8 && v + 2 <= vectors; v += 2) {
    block<R, 2, kStart>(w, row, step, b, x + v * kLanes, y + v * kLanes, depth, stride);
  }
  for (; v < vectors; ++v) {
    block<R, 1, kStart>(w, row, step, b, x + v * kLanes, y + v * kLanes, depth, stride);
  }
}

// Of 32 registers, 5 x 4 accumulators leave room for inputs and the weight.
constexpr int kRows = kRegisters == 32 ? 5 : 2;

template <Start kStart>
void multiply(const float* w, std::ptrdiff_t row, std::ptrdiff_t step, const float* b,
              const float* x, float* y, int depth, int results, int n, int stride) {
  const int vectors = (n + kLanes - 1) / kLanes;
  int r = 0;
  const auto at = [&](auto count) {
    constexpr int kCount = decltype(count)::value;
    rows<kCount, kStart>(w + r * row, row, step, b ? b + r : nullptr, x, y + r * stride, depth,
                         vectors, stride);
    return kCount;
  };
  if constexpr (kRows == 5) {
    // 8 = 4 + 4 rather than 5 + 3: equal blocks keep both multipliers busy.
    while (results - r >= 9 || results - r == 5) r += at(std::integral_constant<int, 5>{});
    while (results - r >= 4) r += at(std::integral_constant<int, 4>{});
    if (results - r == 3) r += at(std::integral_constant<int, 3>{});
  }
  while (results - r >= 2) r += at(std::integral_constant<int, 2>{});
  if (results - r == 1) at(std::integral_constant<int, 1>{});
}

// Nothing to add up: a layer without inputs gives its bias.
template <Start kStart>
void no_inputs(const float* b, float* y, int results, int n, int stride) {
  if constexpr (kStart == Start::Accumulate) return;
  for (int r = 0; r < results; ++r) {
    const Vec value = splat(kStart == Start::Bias ? b[r] : 0.0f);
    for (int s = 0; s < n; s += kLanes) store(y + r * stride + s, value);
  }
}

template <Start kStart>
void product(const float* w, std::ptrdiff_t row, std::ptrdiff_t step, const float* b,
             const float* x, float* y, int depth, int results, int n, int stride) {
  if (depth == 0) return no_inputs<kStart>(b, y, results, n, stride);
  multiply<kStart>(w, row, step, b, x, y, depth, results, n, stride);
}

// dw[o][i] for a block of O outputs x I inputs; vectors >= 1.
template <int O, int I>
inline void weight_block(const float* dy, const float* x, float* dw, int inputs, int vectors,
                         std::ptrdiff_t stride) {
  Vec acc[O][I] = {};
  const float* const end = x + vectors * kLanes;
  do {
    Vec in[I];
    for (int i = 0; i < I; ++i) {
      in[i] = load(x + i * stride);
      pin(in[i]);
    }
    for (int o = 0; o < O; ++o) {
      Vec d = load(dy + o * stride);
      pin(d);
      for (int i = 0; i < I; ++i) acc[o][i] = fma(d, in[i], acc[o][i]);
    }
    x += kLanes;
    dy += kLanes;
  } while (x != end);
#if defined(MASE_SIMD_512)
  if constexpr (O == 4 && I == 4) return add_sums(acc, dw, inputs);
#endif
  for (int o = 0; o < O; ++o) {
    if constexpr (I == 4) {
      add_sums(acc[o], dw + o * inputs);
    } else {
      for (int i = 0; i < I; ++i) dw[o * inputs + i] += sum(acc[o][i]);
    }
  }
}

template <int O>
inline void weight_rows(const float* dy, const float* x, float* dw, int inputs, int vectors,
                        int stride) {
  int i = 0;
  for (; i + 4 <= inputs; i += 4) {
    weight_block<O, 4>(dy, x + i * stride, dw + i, inputs, vectors, stride);
  }
  for (; i < inputs; ++i) weight_block<O, 1>(dy, x + i * stride, dw + i, inputs, vectors, stride);
}

// db[o] += sum_s dy[o][s], four sums at a time: one alone would wait for its additions.
void bias_gradient(const float* dy, float* db, int outputs, int vectors, int stride) {
  int o = 0;
  for (; o + 4 <= outputs; o += 4) {
    Vec acc[4] = {};
    for (int v = 0; v < vectors; ++v) {
      for (int k = 0; k < 4; ++k) acc[k] += load(dy + (o + k) * stride + v * kLanes);
    }
    add_sums(acc, db + o);
  }
  for (; o < outputs; ++o) {
    Vec acc = {};
    for (int v = 0; v < vectors; ++v) acc += load(dy + o * stride + v * kLanes);
    db[o] += sum(acc);
  }
}

}  // namespace

void linear(const float* w, const float* b, const float* x, float* y, int inputs, int outputs,
            int n, int stride) {
  if (b) return product<Start::Bias>(w, inputs, 1, b, x, y, inputs, outputs, n, stride);
  product<Start::Zero>(w, inputs, 1, nullptr, x, y, inputs, outputs, n, stride);
}

void linear_input_gradient(const float* w, const float* dy, float* dx, int inputs, int outputs,
                           int n, int stride, bool accumulate) {
  if (accumulate) {
    return product<Start::Accumulate>(w, 1, inputs, nullptr, dy, dx, outputs, inputs, n, stride);
  }
  product<Start::Zero>(w, 1, inputs, nullptr, dy, dx, outputs, inputs, n, stride);
}

void linear_weight_gradient(const float* dy, const float* x, float* dw, float* db, int inputs,
                            int outputs, int n, int stride) {
  constexpr int kOutputs = kRegisters == 32 ? 4 : kRegisters == 16 ? 2 : 1;
  const int vectors = (n + kLanes - 1) / kLanes;
  if (vectors == 0) return;
  int o = 0;
  for (; o + kOutputs <= outputs; o += kOutputs) {
    weight_rows<kOutputs>(dy + o * stride, x, dw + o * inputs, inputs, vectors, stride);
  }
  for (; o < outputs; ++o) {
    weight_rows<1>(dy + o * stride, x, dw + o * inputs, inputs, vectors, stride);
  }
  if (db) bias_gradient(dy, db, outputs, vectors, stride);
}

}  // namespace mase::engine::native::MASE_ISA
