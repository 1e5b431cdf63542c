#pragma once

#include <cstdint>
#include <string>
#include <vector>

// A network as a chain of layers, for what is measured beside the product: plain C++17, since
// LibTorch 1.13's headers need it under clang 14.
namespace mase::bench {

struct Layer {
  std::string op;  // row of the op table: "linear", "conv2d", "relu"
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  // Of the result of one sample, without the batch.
  std::vector<std::int64_t> shape = {};
};

// Floating-point operations of one sample that no implementation can leave out, the model behind
// all percentages: 2 for each multiplication of a weight forward and 4 backward (2 where no layer
// with parameters stands before, so that nobody asks for the gradient of the input), 16 for each
// value that a batch norm normalises, 20 for each class of the loss.
double train_flops(const std::vector<Layer>& layers);
// Forward alone: 2 for each multiplication, 2 for each normalised value, 10 for each class.
double eval_flops(const std::vector<Layer>& layers);

}  // namespace mase::bench
