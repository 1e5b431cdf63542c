// What the trainer's whole loop (shuffling, metrics, logs, progress, checkpoints) leaves of the
// engine's rate: mase::train::fit as `ch train` calls it, against the same training and evaluation
// steps asked of the engine directly on rows in a fixed order; jsc-toy on the carried jets, without
// a validation and with the one that `ch train` makes (on the training rows). Beside them a bare
// LibTorch loop that trains only.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "bench/bare_libtorch.h"
#include "bench/measure.h"
#include "bench/networks.h"
#include "bench/table.h"
#include "bench/temporary_folder.h"
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
constexpr std::int64_t kSmokeRows = 4096;

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

void compare(Table& table, const data::DataSet& jets, const engine::Engine& engine,
             std::int64_t batch, const Settings& settings) {
  const bool validated = jets.validation.rows() > 0;
  const std::string name =
      fmt::format("{} {}{}", engine.name(), batch, validated ? " validated" : "");
  if (!settings.wants(name)) return;
  const TemporaryFolder folder;
  Case c{jets, engine, batch};
  c.folder = folder.path();
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
  std::vector<Contender> contenders{{"loop", [&] { whole_loop(c, bars.get()); }, steps},
                                    {"engine", [&] { engine_alone(c); }, steps}};
  const bool bare = bare_libtorch_why_not(toy.layers).empty();
  if (bare) {
    contenders.push_back({"LibTorch", bare_libtorch_training(toy.layers, plain, batch, false), 1});
  }
  std::vector<Rates> rates = alternate(contenders, settings);
  rates.resize(3);
  const Spread kept = ratio(rates[0], rates[1]);
  const Spread to_bare = ratio(rates[0], rates[2]);
  const auto rate = [&](std::size_t i) { return short_number(spread(rates[i]).median); };
  const bool held =
      (!bare || to_bare.median >= kMustOfLibtorch) && (batch < 256 || kept.median >= kMustOfEngine);
  table.row({std::string(engine.name()), fmt::to_string(batch), validated ? "yes" : "no", rate(0),
             rate(1), rate(2), fmt::format("{:.3f}", kept.median),
             fmt::format("{:.3f} .. {:.3f}", kept.low, kept.high), short_ratio(to_bare.median),
             settings.smoke ? ""
             : held         ? "+"
                            : "--"});
}

// Those of the engines that this build has; says why it lacks one.
std::vector<const engine::Engine*> engines() {
  std::vector<const engine::Engine*> out;
  for (const std::string_view name : engine::engine_names()) {
    try {
      out.push_back(&engine::load_engine(name));
    } catch (const Error& error) {
      fmt::print("No rows of engine {}: {}.\n", name, error.message());
    }
  }
  return out;
}

void keep_rows(data::Split& split, std::int64_t count) {
  split.features = split.features.rows(0, count);
  split.labels = split.labels.rows(0, count);
}

void run(const Settings& settings) {
  const std::vector<const engine::Engine*> measured = engines();
  if (prepare_bare_libtorch().empty()) {
    fmt::print("No LibTorch to compare with: {}.\n", bare_libtorch_why_not({}));
  }
  data::DataSet jets = data::open("jsc");
  if (settings.smoke) {
    keep_rows(jets.train, kSmokeRows);
    keep_rows(jets.validation, kSmokeRows);
  }
  data::DataSet unvalidated = jets;
  unvalidated.validation = {};
  const std::string how =
      settings.smoke ? std::string(kSmokeFigures)
                     : fmt::format(
                           "Must: the loop keeps {} of the engine from batch 256 up, and {} "
                           "of bare LibTorch.",
                           kMustOfEngine, kMustOfLibtorch);
  fmt::print("jsc-toy, Adam, one thread, {} rows, training steps/s by processor time. {}\n\n",
             jets.train.rows(), how);
  Table table({{"engine", 0, true},
               {"batch"},
               {"validation"},
               {"whole loop"},
               {.title = "engine alone", .rank = 1},
               {.title = "LibTorch", .rank = 2},
               {"loop / engine"},
               {.title = "10 % .. 90 %", .width = 14, .rank = 3},
               {"loop / LibTorch"},
               {"", 2, true}});
  for (const engine::Engine* engine : measured) {
    for (const std::int64_t batch : kBatches) {
      compare(table, unvalidated, *engine, batch, settings);
      compare(table, jets, *engine, batch, settings);
    }
  }
  need_rows(settings, table.rows());
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
