// Training steps per second through the trainer's whole loop (shuffling, metrics, logs,
// checkpoints) against the engine's bare steps and against a loop that a user of LibTorch would
// write, on jsc-toy with the jets that the repository carries. Windows alternate in one process on
// one thread.
//   train_bench [windows] [engine ...]
#include <fmt/format.h>
#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/models/model.h"
#include "mase/train/train.h"

namespace {

constexpr double kWindowSeconds = 0.4;

struct Measured {
  double steps = 0;
  double seconds = 0;
  double rate() const { return steps / seconds; }
};

// Processor time, so that other work on the machine does not count.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <typename Work>
Measured timed(Work&& work) {
  const double start = processor_seconds();
  const std::int64_t steps = work();
  return {static_cast<double>(steps), processor_seconds() - start};
}

// Epochs of training through mase::train::fit, files and all, without validation.
std::int64_t whole_loop(const mase::data::DataSet& jets, const mase::engine::Engine& engine,
                        std::int64_t batch, std::int64_t epochs) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("mase_train_bench_{}", ::getpid());
  mase::train::FitOptions options;
  options.optimiser.learning_rate = 1e-3;
  options.batch_size = batch;
  options.max_epochs = epochs;
  const auto result = mase::train::fit(mase::models::build("jsc-toy", jets.info), jets, engine,
                                       options, {.folder = folder});
  std::filesystem::remove_all(folder);
  return result.steps;
}

// The same steps asked of the engine directly.
std::int64_t engine_steps(const mase::data::DataSet& jets, const mase::engine::Engine& engine,
                          std::int64_t batch, std::int64_t epochs) {
  const auto program = engine.compile(mase::models::build("jsc-toy", jets.info));
  program->set_optimiser({.learning_rate = 1e-3});
  mase::data::Loader loader(jets.train.rows(), batch, true, 0);
  std::int64_t steps = 0;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    loader.start_epoch(epoch);
    for (std::int64_t i = 0; i < loader.batches(); ++i) {
      const auto next =
          i + 1 < loader.batches() ? loader.batch(i + 1) : std::span<const std::uint32_t>{};
      program->train_step({&jets.train.features, &jets.train.labels, loader.batch(i), next},
                          {.step = static_cast<std::uint64_t>(steps++)});
    }
  }
  return steps;
}

std::int64_t bare_libtorch(const mase::data::DataSet& jets, std::int64_t batch,
                           std::int64_t epochs) {
  using namespace torch::nn;
  const auto relu = [] { return ReLU(ReLUOptions().inplace(true)); };
  Sequential network(BatchNorm1d(16), relu(), Linear(16, 8), BatchNorm1d(8), relu(), Linear(8, 8),
                     BatchNorm1d(8), relu(), Linear(8, 5), BatchNorm1d(5), relu());
  torch::optim::Adam optimiser(network->parameters(), torch::optim::AdamOptions(1e-3));
  const auto borrow = [](const mase::ir::Tensor& t, torch::ScalarType type) {
    return torch::from_blob(const_cast<std::byte*>(t.data()), t.shape(), type);
  };
  const torch::Tensor features = borrow(jets.train.features, torch::kFloat);
  const torch::Tensor labels = borrow(jets.train.labels, torch::kLong);
  const std::int64_t rows = jets.train.rows();
  std::int64_t steps = 0;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    const torch::Tensor order = torch::randperm(rows, torch::kLong);
    for (std::int64_t first = 0; first < rows; first += batch, ++steps) {
      const torch::Tensor picked = order.narrow(0, first, std::min(batch, rows - first));
      const torch::Tensor x = features.index_select(0, picked);
      const torch::Tensor y = labels.index_select(0, picked);
      optimiser.zero_grad();
      const torch::Tensor logits = network->forward(x);
      const torch::Tensor loss = functional::cross_entropy(logits, y);
      loss.backward();
      optimiser.step();
      // What every training loop looks at.
      volatile double shown = loss.item<double>();
      volatile auto correct = logits.argmax(1).eq(y).sum().item<std::int64_t>();
      (void)shown;
      (void)correct;
    }
  }
  return steps;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(const mase::data::DataSet& jets, const std::string& name, std::int64_t batch,
             int windows) {
  const mase::engine::Engine& engine = mase::engine::load_engine(name);
  const double epoch = timed([&] { return engine_steps(jets, engine, batch, 1); }).seconds;
  const auto epochs = static_cast<std::int64_t>(std::max(1.0, kWindowSeconds / epoch));
  std::vector<double> whole, steps, bare, to_engine, to_bare;
  for (int w = 0; w < windows; ++w) {
    whole.push_back(timed([&] { return whole_loop(jets, engine, batch, epochs); }).rate());
    steps.push_back(timed([&] { return engine_steps(jets, engine, batch, epochs); }).rate());
    bare.push_back(timed([&] { return bare_libtorch(jets, batch, 1); }).rate());
    to_engine.push_back(whole.back() / steps.back());
    to_bare.push_back(whole.back() / bare.back());
  }
  fmt::print("| {:<6} | {:>5} | {:>10.0f} | {:>12.0f} | {:>13.0f} | {:>14.2f} | {:>15.2f} |\n",
             name, batch, median(whole), median(steps), median(bare), median(to_engine),
             median(to_bare));
}

}  // namespace

int main(int argc, char** argv) {
  const int windows = argc > 1 ? std::atoi(argv[1]) : 9;
  std::vector<std::string> engines(argv + std::min(argc, 2), argv + argc);
  if (engines.empty()) engines = {"torch", "native"};
  mase::data::DataSet jets = mase::data::open("jsc");
  jets.validation = {};
  mase::engine::load_engine("torch");  // sets what LibTorch's libraries read when they start
  torch::set_num_threads(1);
  fmt::print("jsc-toy, Adam, one thread, {} rows, steps/s\n", jets.train.rows());
  fmt::print(
      "| engine | batch | whole loop | engine alone | bare LibTorch | whole / engine | "
      "whole / LibTorch |\n");
  fmt::print(
      "|--------|-------|------------|--------------|---------------|----------------|"
      "-----------------|\n");
  for (const std::string& engine : engines) {
    for (const std::int64_t batch : {64, 256, 1024}) compare(jets, engine, batch, windows);
  }
}
