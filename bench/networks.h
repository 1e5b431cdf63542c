#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/layers.h"
#include "mase/ir/graph.h"

namespace mase::bench {

struct Network {
  std::string name;
  ir::Graph graph;
  ir::Shape sample;  // [16], [1, 28, 28]
  std::int64_t classes = 0;
  std::vector<Layer> layers;
};

// What is measured: jsc-toy; jsc-s-like, which is jsc-s with a batch norm after every linear layer
// (34.7 thousand operations per sample in training); a perceptron 16-64-32-32-5 without batch
// norms; lenet5 on 28 x 28 pictures.
std::vector<Network> networks();
// One of them. Throws Error{Usage}.
Network network(const std::string& name);

// Linear and convolution layers with inputs, weights and biases of 8 bits, 4 of them fractional.
ir::Graph quantised(const ir::Graph& graph);

// Rows as many as a training split of jets, or as fit a like amount of memory. The labels can be
// learnt, so that gradients stay what they are in a real training.
struct Rows {
  ir::Tensor features;               // [N, sample...]
  ir::Tensor labels;                 // [N]
  std::vector<std::uint32_t> order;  // a permutation

  std::int64_t count() const { return features.dim(0); }
};
Rows make_rows(const Network& network, std::int64_t count);

}  // namespace mase::bench
