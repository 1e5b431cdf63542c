// The native engine on its own, for peers that live in processes of their own:
//   bench_native_steps NETWORK BATCH MODE SECONDS   measures once
//   bench_native_steps NETWORK BATCH MODE           measures for as many seconds of processor time
//                                                   as each line of the standard input says
//   bench_native_steps NETWORK --layers             describes the network
// Prints a line of JSON each time. MODE: train, train_quantised, eval, eval_quantised.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "bench/steps.h"
#include "mase/support/error.h"

namespace mase::bench {
namespace {

constexpr std::int64_t kRows = 120'000;

void print(const nlohmann::json& json) {
  fmt::print("{}\n", json.dump());
  std::fflush(stdout);
}

void describe(const Network& network) {
  nlohmann::json layers = nlohmann::json::array();
  for (const Layer& layer : network.layers) {
    layers.push_back({{"op", layer.op}, {"in", layer.in}, {"out", layer.out}});
  }
  print({{"network", network.name},
         {"sample", network.sample},
         {"classes", network.classes},
         {"layers", layers}});
}

Mode mode_of(const std::string& text) {
  if (text == "train") return Mode::Train;
  if (text == "train_quantised") return Mode::TrainQuantised;
  if (text == "eval") return Mode::Eval;
  if (text == "eval_quantised") return Mode::EvalQuantised;
  usage_error(fmt::format("there is no mode '{}'", text), {},
              "choose from train, train_quantised, eval, eval_quantised");
}

std::int64_t batch_of(const std::string& text) {
  const std::int64_t batch = std::atoll(text.c_str());
  if (batch < 1 || batch > kRows) usage_error(fmt::format("no batch has {} rows", text));
  return batch;
}

void run(const std::vector<std::string>& arguments) {
  const Network measured = network(arguments.at(0));
  if (arguments.at(1) == "--layers") return describe(measured);
  const std::int64_t batch = batch_of(arguments.at(1));
  const Rows rows = make_rows(measured, kRows);
  const Contender native{"native",
                         engine_steps("native", measured, rows, batch, mode_of(arguments.at(2))),
                         static_cast<double>(batch)};
  const auto measure = [&](const std::string& seconds) {
    const Settings once{.windows = 1, .seconds = std::max(1e-3, std::atof(seconds.c_str()))};
    print({{"samples_per_second", alternate({&native, 1}, once)[0][0]}});
  };
  if (arguments.size() > 3) return measure(arguments[3]);
  for (std::string line; std::getline(std::cin, line);) measure(line);
}

}  // namespace
}  // namespace mase::bench

int main(int argc, char** argv) {
  if (argc < 3 || (argc < 4 && std::string(argv[2]) != "--layers") || argc > 5) {
    fmt::print(stderr,
               "usage: bench_native_steps NETWORK BATCH MODE [SECONDS]\n"
               "       bench_native_steps NETWORK --layers\n");
    return 2;
  }
  try {
    mase::bench::run({argv + 1, argv + argc});
  } catch (const mase::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
