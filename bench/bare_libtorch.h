#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/layers.h"

// The loop that a user of LibTorch writes in C++: modules, autograd, torch::optim::Adam, eager.
// Batches are views of consecutive rows: no shuffling and no gathering, which favours it. The
// header is plain C++17 (layers.h).
namespace mase::bench {

// Borrowed from the caller.
struct PlainRows {
  const float* features = nullptr;
  const std::int64_t* labels = nullptr;
  std::int64_t count = 0;
  std::vector<std::int64_t> sample;
};

// What keeps a layer from being built, or all of them where LibTorch is missing; "" if nothing.
// Only what has no reason against it may be asked for below.
std::string bare_libtorch_why_not(const std::vector<Layer>& layers);

// One call trains on the next batch. Quantised: weights, biases and inputs of linear and
// convolution layers go through round-to-8-bits with a straight-through gradient.
std::function<void()> bare_libtorch_training(const std::vector<Layer>& layers,
                                             const PlainRows& rows, std::int64_t batch,
                                             bool quantised);
// One call evaluates the next batch in evaluation mode without gradients and counts the rows that
// are classified rightly.
std::function<void()> bare_libtorch_evaluation(const std::vector<Layer>& layers,
                                               const PlainRows& rows, std::int64_t batch,
                                               bool quantised);

// One thread, and its name: "LibTorch 1.13.1, 1 thread"; "" where LibTorch is missing.
std::string prepare_bare_libtorch();

}  // namespace mase::bench
