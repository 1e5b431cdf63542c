#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "mase/engine/native/integer_kernels.h"

// Whether the sums of a quantised linear layer come out exactly, in float32 and in the integer
// forms, from the actual codes of its weights.
namespace mase::engine::native {

struct IntegerOptions {
  bool enabled = true;
  // For tests, which force the less narrow forms: other kernels than those that go with the float
  // ones, and
  const IntegerKernels* kernels = nullptr;
  bool bytes = true;                                  // false: 16-bit codes everywhere
  int longest_run = std::numeric_limits<int>::max();  // of IntegerLayer::run
};
// As MASE_NATIVE_INTEGER says: 0 keeps evaluation in float.
IntegerOptions integer_options();

// A linear layer in codes. A product of two codes counts 2^-fraction.
struct LayerCodes {
  int inputs = 0;
  int outputs = 0;
  std::vector<std::int32_t> weight;  // [outputs][inputs]
  std::vector<float> bias;           // per output; zeros if there is none
  int bias_fraction = 0;             // biases are multiples of 2^-bias_fraction
  int fraction = 0;
  int low = 0;  // smallest and largest code of the input
  int high = 0;
};

struct LayerProof {
  std::string why;      // why the layer stays in float; empty if sums are exact
  bool bytes = false;   // its input may lie in bytes
  bool halves = false;  // in 16 bits
  int run = 1;          // IntegerLayer::run for bytes
  // Whether every bias is a whole number of products, so that sums can start with it.
  bool bias_in_sum = false;
  std::vector<double> largest;  // bound of |sum + bias| in products, per output
};

LayerProof prove(const LayerCodes& layer, const IntegerKernels& kernels,
                 const IntegerOptions& options);

// The arrays behind an IntegerLayer.
struct PackedLayer {
  std::vector<std::int32_t> weight;
  std::vector<std::int32_t> start;
  std::vector<std::int32_t> start16;  // empty if no start fits 16-bit sums
  IntegerLayer shape;
  IntegerLayer layer() const;
};
// For codes of a size that the proof allows; biases start the sums if proof.bias_in_sum.
PackedLayer pack(const LayerCodes& layer, const LayerProof& proof, CodeSize size);

}  // namespace mase::engine::native
