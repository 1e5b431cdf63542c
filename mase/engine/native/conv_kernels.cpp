// Convolutions on [channel, height, width][sample] tiles, by tables of windows: a register block of
// output channels x pixels x vectors of samples adds up over the taps of its window, with the
// weights broadcast. The gradient with respect to the input is the same kernel with the table of
// the transposed windows; the one with respect to the weight keeps taps x output channels in
// registers while it runs over the pixels, and leaves its sums in lanes until the batch is over.
#include <algorithm>
#include <utility>

#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

// Accumulators that leave room for inputs and a weight in the registers.
constexpr int kBlock = kRegisters * 3 / 4;
constexpr int kMostResults = 6;
constexpr int kMostTaps = 6;

struct Convolution {
  const Tap* taps;
  int count;
  const float* w;
  std::ptrdiff_t row;        // between the weights of two results
  const float* b;            // of each result
  std::ptrdiff_t out_plane;  // floats between two results
  int stride;
  bool accumulate;
};

constexpr float kNoBias[kMostResults] = {};

// R results of P pixels, V vectors of samples each.
template <int R, int P, int V>
[[gnu::always_inline]] inline void block(const Convolution& c, const float* x,
                                         std::ptrdiff_t in_step, float* y,
                                         std::ptrdiff_t out_step) {
  Vec acc[R][P][V];
  for (int r = 0; r < R; ++r) {
    const Vec start = splat(c.b[r]);
    for (int p = 0; p < P; ++p) {
      for (int v = 0; v < V; ++v) acc[r][p][v] = start;
    }
  }
  const std::ptrdiff_t row = c.row;
  const std::ptrdiff_t stride = c.stride;
  const Tap* tap = c.taps;
  const Tap* const end = tap + c.count;
  do {
    const float* from = x + tap->offset * stride;
    const float* weight = c.w + tap->weight;
    Vec in[P][V];
    for (int p = 0; p < P; ++p) {
      for (int v = 0; v < V; ++v) {
        in[p][v] = load(from + p * in_step + v * kLanes);
        pin(in[p][v]);
      }
    }
    for (int r = 0; r < R; ++r) {
      const Vec k = splat(weight[r * row]);
      for (int p = 0; p < P; ++p) {
        for (int v = 0; v < V; ++v) acc[r][p][v] = fma(k, in[p][v], acc[r][p][v]);
      }
    }
  } while (++tap != end);
  const bool accumulate = c.accumulate;
  const std::ptrdiff_t plane = c.out_plane;
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      for (int v = 0; v < V; ++v) {
        float* to = y + r * plane + p * out_step + v * kLanes;
        store(to, accumulate ? load(to) + acc[r][p][v] : acc[r][p][v]);
      }
    }
  }
}

// The pixels of one row of a patch.
template <int R, int V>
void line(const Convolution& c, const float* x, std::ptrdiff_t in_step, float* y,
          std::ptrdiff_t out_step, int pixels) {
  constexpr int kPixels = std::max(1, kBlock / (R * V));
  int p = 0;
  for (; p + kPixels <= pixels; p += kPixels) {
    block<R, kPixels, V>(c, x + p * in_step, in_step, y + p * out_step, out_step);
  }
  for (; p < pixels; ++p) {
    block<R, 1, V>(c, x + p * in_step, in_step, y + p * out_step, out_step);
  }
}

using Line = void (*)(const Convolution&, const float*, std::ptrdiff_t, float*, std::ptrdiff_t,
                      int);
constexpr Line kLines[kMostResults][2] = {{line<1, 1>, line<1, 2>}, {line<2, 1>, line<2, 2>},
                                          {line<3, 1>, line<3, 2>}, {line<4, 1>, line<4, 2>},
                                          {line<5, 1>, line<5, 2>}, {line<6, 1>, line<6, 2>}};

// Results that nothing is read for.
void fill(const Patch& patch, float* y, float value, int vectors, int stride) {
  for (int row = 0; row < patch.rows; ++row) {
    for (int column = 0; column < patch.columns; ++column) {
      const std::ptrdiff_t at = patch.out + row * patch.out_row + column * patch.out_column;
      for (int v = 0; v < vectors; ++v) store(y + at * stride + v * kLanes, splat(value));
    }
  }
}

// Calls work(first, size) for pieces of `count` of at most `most`, as equal as possible.
template <typename Work>
inline void in_pieces(int count, int most, Work&& work) {
  int pieces = (count + most - 1) / most;
  for (int first = 0; first < count; --pieces) {
    const int size = (count - first + pieces - 1) / pieces;
    work(first, size);
    first += size;
  }
}

// Sums of O results x T taps over some rows of a patch, V vectors of samples.
template <int O, int T, int V>
void weight_block(const float* d, std::ptrdiff_t plane, const float* x, const Tap* taps,
                  float* sums, std::ptrdiff_t sums_row, const Patch& patch, int rows, int stride) {
  Vec acc[O][T];
  std::ptrdiff_t offset[T];
  for (int t = 0; t < T; ++t) {
    offset[t] = static_cast<std::ptrdiff_t>(taps[t].offset) * stride;
    for (int o = 0; o < O; ++o) {
      acc[o][t] = load(sums + o * sums_row + taps[t].weight * kLanes);
    }
  }
  const std::ptrdiff_t d_step = static_cast<std::ptrdiff_t>(patch.out_column) * stride;
  const std::ptrdiff_t x_step = static_cast<std::ptrdiff_t>(patch.in_column) * stride;
  const int columns = patch.columns;
  for (int row = 0; row < rows; ++row) {
    const float* d_at = d + static_cast<std::ptrdiff_t>(row) * patch.out_row * stride;
    const float* x_at = x + static_cast<std::ptrdiff_t>(row) * patch.in_row * stride;
    int column = columns;
    do {
      for (int v = 0; v < V; ++v) {
        Vec slope[O];
        for (int o = 0; o < O; ++o) slope[o] = load(d_at + o * plane + v * kLanes);
        for (int t = 0; t < T; ++t) {
          Vec in = load(x_at + offset[t] + v * kLanes);
          pin(in);
          for (int o = 0; o < O; ++o) acc[o][t] = fma(slope[o], in, acc[o][t]);
        }
      }
      d_at += d_step;
      x_at += x_step;
    } while (--column > 0);
  }
  for (int t = 0; t < T; ++t) {
    for (int o = 0; o < O; ++o) store(sums + o * sums_row + taps[t].weight * kLanes, acc[o][t]);
  }
}

using WeightBlock = void (*)(const float*, std::ptrdiff_t, const float*, const Tap*, float*,
                             std::ptrdiff_t, const Patch&, int, int);
template <int O, int V>
constexpr WeightBlock kWeightBlocks[kMostTaps] = {weight_block<O, 1, V>, weight_block<O, 2, V>,
                                                  weight_block<O, 3, V>, weight_block<O, 4, V>,
                                                  weight_block<O, 5, V>, weight_block<O, 6, V>};

WeightBlock weight_block_of(int results, int taps, int vectors) {
  if (results == 1) return (vectors == 1 ? kWeightBlocks<1, 1> : kWeightBlocks<1, 2>)[taps - 1];
  return (vectors == 1 ? kWeightBlocks<2, 1> : kWeightBlocks<2, 2>)[taps - 1];
}

// Pixels that a block of weights runs over before the next block gets its turn: enough to forget
// the loading and storing of sums, few enough to find the rows in the first-level cache again.
constexpr int kPixelsAtOnce = 96;

}  // namespace

void convolve(const Windows& windows, const float* w, std::ptrdiff_t row, const float* b,
              const float* x, float* y, int results, int area, int n, int stride, bool accumulate) {
  const int vectors = vectors_of(n);
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(area) * stride;
  for (const Patch& patch : windows.patches) {
    if (patch.taps == 0) {
      for (int r = 0; !accumulate && r < results; ++r) {
        fill(patch, y + r * plane, b ? b[r] : 0.0f, vectors, stride);
      }
      continue;
    }
    const std::ptrdiff_t in_step = static_cast<std::ptrdiff_t>(patch.in_column) * stride;
    const std::ptrdiff_t out_step = static_cast<std::ptrdiff_t>(patch.out_column) * stride;
    for (int line = 0; line < patch.rows; ++line) {
      const float* from = x + static_cast<std::ptrdiff_t>(patch.in + line * patch.in_row) * stride;
      float* to = y + static_cast<std::ptrdiff_t>(patch.out + line * patch.out_row) * stride;
      in_pieces(results, kMostResults, [&](int first, int size) {
        const Convolution c{.taps = windows.taps.data() + patch.first_tap,
                            .count = patch.taps,
                            .w = w + first * row,
                            .row = row,
                            .b = b ? b + first : kNoBias,
                            .out_plane = plane,
                            .stride = stride,
                            .accumulate = accumulate};
        in_pieces(vectors, 2, [&](int v, int width) {
          kLines[size - 1][width - 1](c, from + v * kLanes, in_step,
                                      to + first * plane + v * kLanes, out_step, patch.columns);
        });
      });
    }
  }
}

void convolve_weight_gradient(const Windows& windows, const float* d, const float* x, float* sums,
                              std::ptrdiff_t row, float* db, int results, int area, int n,
                              int stride) {
  const int vectors = vectors_of(n);
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(area) * stride;
  for (const Patch& patch : windows.patches) {
    const int at_once = std::max(1, kPixelsAtOnce / patch.columns);
    in_pieces(patch.rows, at_once, [&](int line, int lines) {
      const float* from = x + static_cast<std::ptrdiff_t>(patch.in + line * patch.in_row) * stride;
      const float* slope =
          d + static_cast<std::ptrdiff_t>(patch.out + line * patch.out_row) * stride;
      for (int o = 0; o < results; o += 2) {
        const int pair = std::min(2, results - o);
        in_pieces(patch.taps, kMostTaps, [&](int t, int size) {
          in_pieces(vectors, 2, [&](int v, int width) {
            weight_block_of(pair, size, width)(
                slope + o * plane + v * kLanes, plane, from + v * kLanes,
                windows.taps.data() + patch.first_tap + t, sums + o * row * kLanes, row * kLanes,
                patch, lines, stride);
          });
        });
      }
    });
  }
  for (int o = 0; db && o < results; ++o) {
    Vec total = {};
    for (int p = 0; p < area; ++p) {
      const float* slope = d + o * plane + static_cast<std::ptrdiff_t>(p) * stride;
      for (int v = 0; v < vectors; ++v) total += load(slope + v * kLanes);
    }
    db[o] += sum(total);
  }
}

void add_lanes(float* lanes, float* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] += sum(load(lanes + i * kLanes));
    store(lanes + i * kLanes, Vec{});
  }
}

}  // namespace mase::engine::native::MASE_ISA
