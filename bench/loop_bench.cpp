// What the trainer's whole loop (shuffling, metrics, logs, progress, checkpoints) leaves of the
// engine's rate: mase::train::fit as `ch train` calls it, against the same training and evaluation
// steps asked of the engine directly on rows in a fixed order; jsc-toy on the carried jets, without
// a validation and with the one that `ch train` makes (on the training rows). Beside them a bare
// LibTorch loop that trains only.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "bench/bare_libtorch.h"
#include "bench/measure.h"
#include "bench/networks.h"
#include "bench/table.h"
#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/models/model.h"
#include "mase/support/error.h"
#include "mase/train/train.h"

namespace mase::bench {
namespace {

constexpr std::int64_t kBatches[] = {64, 256, 1024};
constexpr double kMustOfEngine = 0.9;     // from batch 256 up
constexpr double kMustOfLibtorch = 0.95;  // at each batch
constexpr double kRunSeconds = 1.0;       // of processor time, of one run of the trainer

struct Case {
  const data::DataSet& jets;
  const engine::Engine& engine;
  std::int64_t batch = 0;
  std::int64_t epochs = 1;
  std::filesystem::path folder = {};
};

void whole_loop(const Case& c, std::FILE* bars) {
  train::FitOptions options;
  options.optimiser.learning_rate = 1e-3;
  options.batch_size = c.batch;
  options.max_epochs = c.epochs;
  options.catch_signals = false;  // who stops a benchmark does not want it to save
  train::fit(models::build("jsc-toy", c.jets.info), c.jets, c.engine, options,
             {.folder = c.folder, .bars = bars});
}

void engine_alone(const Case& c) {
  const auto program = c.engine.compile(models::build("jsc-toy", c.jets.info));
  program->set_optimiser({.learning_rate = 1e-3});
  data::Loader shuffled(c.jets.train.rows(), c.batch, true, 0);
  shuffled.start_epoch(0);
  const data::Loader in_order(c.jets.validation.rows(), c.batch, false, 0);
  const auto piece = [](const data::Split& split, const data::Loader& loader, std::int64_t i) {
    const std::int64_t next = i + 1 < loader.batches() ? i + 1 : i;
    return engine::Batch{&split.features, &split.labels, loader.batch(i), loader.batch(next)};
  };
  std::uint64_t step = 0;
  for (std::int64_t epoch = 0; epoch < c.epochs; ++epoch) {
    for (std::int64_t i = 0; i < shuffled.batches(); ++i) {
      program->train_step(piece(c.jets.train, shuffled, i), {.step = step++});
    }
    for (std::int64_t i = 0; i < in_order.batches(); ++i) {
      program->evaluate(piece(c.jets.validation, in_order, i));
    }
  }
}

void compare(const Table& table, const data::DataSet& jets, const char* name, std::int64_t batch,
             const Settings& settings) {
  const bool validated = jets.validation.rows() > 0;
  if (!settings.wants(fmt::format("{} {}{}", name, batch, validated ? " validated" : ""))) return;
  Case c{jets, engine::load_engine(name), batch};
  c.folder = std::filesystem::temp_directory_path() / fmt::format("mase_loop_bench_{}", ::getpid());
  if (!settings.smoke) {
    const double start = processor_seconds();
    engine_alone(c);
    const double epoch = processor_seconds() - start;
    c.epochs = std::max<std::int64_t>(1, static_cast<std::int64_t>(kRunSeconds / epoch));
  }
  const auto steps = static_cast<double>(c.epochs * ((jets.train.rows() + batch - 1) / batch));
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> bars(std::fopen("/dev/null", "w"),
                                                             &std::fclose);
  const Network toy = network("jsc-toy");
  const PlainRows plain{.features = jets.train.features.values<float>().data(),
                        .labels = jets.train.labels.values<std::int64_t>().data(),
                        .count = jets.train.rows(),
                        .sample = toy.sample};
  const Contender contenders[] = {
      {"loop", [&] { whole_loop(c, bars.get()); }, steps},
      {"engine", [&] { engine_alone(c); }, steps},
      {"LibTorch", bare_libtorch_training(toy.layers, plain, batch, false), 1}};
  const auto rates = alternate(contenders, settings);
  const Spread kept = ratio(rates[0], rates[1]);
  const Spread to_bare = ratio(rates[0], rates[2]);
  const auto rate = [&](std::size_t i) { return short_number(spread(rates[i]).median); };
  const bool held =
      to_bare.median >= kMustOfLibtorch && (batch < 256 || kept.median >= kMustOfEngine);
  table.row({name, fmt::to_string(batch), validated ? "yes" : "no", rate(0), rate(1), rate(2),
             fmt::format("{:.3f}", kept.median),
             fmt::format("{:.3f} .. {:.3f}", kept.low, kept.high), short_ratio(to_bare.median),
             held ? "+" : "--"});
  std::filesystem::remove_all(c.folder);
}

void run(const Settings& settings) {
  prepare_bare_libtorch();
  const data::DataSet jets = data::open("jsc");
  data::DataSet unvalidated = jets;
  unvalidated.validation = {};
  fmt::print(
      "jsc-toy, Adam, one thread, {} rows, training steps/s by processor time. Must: the "
      "loop keeps {} of the engine from batch 256 up, and {} of bare LibTorch.\n\n",
      jets.train.rows(), kMustOfEngine, kMustOfLibtorch);
  const Table table({{"engine", 0, true},
                     {"batch"},
                     {"validation"},
                     {"whole loop"},
                     {"engine alone"},
                     {"LibTorch"},
                     {"loop / engine"},
                     {"10 % .. 90 %", 14},
                     {"loop / LibTorch"},
                     {"", 2, true}});
  for (const char* name : {"native", "torch"}) {
    for (const std::int64_t batch : kBatches) {
      compare(table, unvalidated, name, batch, settings);
      compare(table, jets, name, batch, settings);
    }
  }
}

}  // namespace
}  // namespace mase::bench

int main(int argc, char** argv) {
  auto settings = mase::bench::parse_settings(
      argc, argv, "The whole training loop against the engine alone, on jsc-toy.");
  settings.windows = std::min(settings.windows, 7);
  try {
    mase::bench::run(settings);
  } catch (const mase::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
