// The weight gradient of linear layers for tiles of few samples, where adding up lanes would cost
// more than the products: with the samples transposed, inputs lie in the lanes and each product
// adds to a vector of weights.
#include <algorithm>
#include <cstring>

#include "mase/engine/native/isa_kernels.h"

namespace mase::engine::native::MASE_ISA {
namespace {

constexpr int kOutputs = 4;
constexpr int kVectors = 3;  // of inputs

// O rows of dw, V vectors of inputs; `valid` floats of the last vector belong to the row.
template <int O, int V>
void block(const float* dy, int stride, const float* rows, std::ptrdiff_t row, float* dw,
           int inputs, int n, int valid) {
  Vec acc[O][V] = {};
  for (int s = 0; s < n; ++s) {
    Vec in[V];
    for (int v = 0; v < V; ++v) {
      in[v] = load(rows + s * row + v * kLanes);
      pin(in[v]);
    }
    for (int o = 0; o < O; ++o) {
      const Vec slope = splat(dy[o * stride + s]);
      for (int v = 0; v < V; ++v) acc[o][v] = fma(slope, in[v], acc[o][v]);
    }
  }
  for (int o = 0; o < O; ++o) {
    float* to = dw + o * inputs;
    for (int v = 0; v < V; ++v, to += kLanes) {
      if (v + 1 < V || valid == kLanes) {
        const Vec sum = load_unaligned(to) + acc[o][v];
        std::memcpy(to, &sum, sizeof sum);
        continue;
      }
      for (int i = 0; i < valid; ++i) to[i] += acc[o][v][i];
    }
  }
}

using Block = void (*)(const float*, int, const float*, std::ptrdiff_t, float*, int, int, int);
constexpr Block kBlocks[kOutputs][kVectors] = {{block<1, 1>, block<1, 2>, block<1, 3>},
                                               {block<2, 1>, block<2, 2>, block<2, 3>},
                                               {block<3, 1>, block<3, 2>, block<3, 3>},
                                               {block<4, 1>, block<4, 2>, block<4, 3>}};

}  // namespace

void linear_weight_gradient_narrow(const float* dy, const float* x, float* dw, float* db,
                                   int inputs, int outputs, int n, int stride, float* scratch) {
  const std::ptrdiff_t row = (inputs + 15) / 16 * 16;
  for (int i = 0; i < inputs; ++i) {
    for (int s = 0; s < n; ++s) scratch[s * row + i] = x[i * stride + s];
  }
  const int vectors = (inputs + kLanes - 1) / kLanes;
  for (int o = 0; o < outputs; o += kOutputs) {
    const int high = std::min(kOutputs, outputs - o);
    for (int v = 0; v < vectors; v += kVectors) {
      const int wide = std::min(kVectors, vectors - v);
      const int valid = std::min(kLanes, inputs - (v + wide - 1) * kLanes);
      kBlocks[high - 1][wide - 1](dy + o * stride, stride, scratch + v * kLanes, row,
                                  dw + o * inputs + v * kLanes, inputs, n, valid);
    }
  }
  if (!db) return;
  for (int o = 0; o < outputs; ++o) {
    Vec total = {};
    for (int v = 0; v < (n + kLanes - 1) / kLanes; ++v) total += load(dy + o * stride + v * kLanes);
    db[o] += sum(total);
  }
}

}  // namespace mase::engine::native::MASE_ISA
