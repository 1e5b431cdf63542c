// Samples per second of the native engine, the Torch engine and a bare LibTorch loop: network x
// mode x batch, all taking turns in one process on one thread. A row "best" of an evaluation gives
// each side the batch that suits it best out of 256, 4096 and all rows.
#include <fmt/format.h>

#include <algorithm>

#include "bench/bare_libtorch.h"
#include "bench/measure.h"
#include "bench/peak.h"
#include "bench/steps.h"
#include "bench/table.h"
#include "mase/engine/engine.h"
#include "mase/support/error.h"

namespace mase::bench {
namespace {

constexpr std::int64_t kBatches[] = {64, 256, 1024, 4096};
constexpr const char* kOwnEngines[] = {"native", "torch"};

// Training rows of the published jet file, and its test rows.
constexpr std::int64_t kTrainRows = 664'000;
constexpr std::int64_t kTestRows = 166'000;
constexpr std::int64_t kPictures = 12'000;

// Batches of more rows than there are get no row in the table: a moment of each has small ones.
std::int64_t row_count(const Network& network, Mode mode, const Settings& settings) {
  const bool pictures = network.sample.size() > 1;
  if (settings.smoke) return pictures ? 64 : 1024;
  if (pictures) return kPictures;
  return is_training(mode) ? kTrainRows : kTestRows;
}

// All that is measured in one row of the table.
class Contest {
 public:
  Contest(const Network& network, const Rows& rows, Mode mode)
      : network_(network), rows_(rows), mode_(mode) {
    contenders_.push_back(fma_peak());
  }

  void add_engines(std::int64_t batch) {
    for (const char* engine : kOwnEngines) {
      if (engine_why_not(engine, network_, mode_).empty()) {
        add(engine, batch, engine_steps(engine, network_, rows_, batch, mode_));
      }
    }
  }
  void add_libtorch(std::int64_t batch) {
    if (!bare_libtorch_why_not(network_.layers).empty()) return;
    const PlainRows plain{.features = rows_.features.values<float>().data(),
                          .labels = rows_.labels.values<std::int64_t>().data(),
                          .count = rows_.count(),
                          .sample = network_.sample};
    const auto make = is_training(mode_) ? bare_libtorch_training : bare_libtorch_evaluation;
    add("LibTorch", batch, make(network_.layers, plain, batch, is_quantised(mode_)));
  }

  void run(const Settings& settings) { rates_ = alternate(contenders_, settings); }

  // The rates of the contender of this name that was fastest; empty if there was none.
  const Rates& best(const std::string& name) const {
    static const Rates kNone;
    const Rates* best = &kNone;
    for (std::size_t i = 0; i < contenders_.size(); ++i) {
      const bool better = best->empty() || spread(rates_[i]).median > spread(*best).median;
      if (contenders_[i].name == name && better) best = &rates_[i];
    }
    return *best;
  }
  const Rates& peak() const { return rates_.front(); }

 private:
  void add(std::string name, std::int64_t batch, std::function<void()> step) {
    contenders_.push_back({std::move(name), std::move(step), static_cast<double>(batch)});
  }

  const Network& network_;
  const Rows& rows_;
  Mode mode_;
  std::vector<Contender> contenders_;
  std::vector<Rates> rates_;
};

Table make_table() {
  return Table({{"network", 10, true},
                {"mode", 9, true},
                {"batch"},
                {"native", 7},
                {.title = "% peak", .rank = 1},
                {.title = "Torch eng.", .rank = 3},
                {"LibTorch", 7},
                {"native / LibTorch"},
                {.title = "10 % .. 90 %", .width = 14, .rank = 2},
                {.title = "must", .rank = 1},
                {.title = "goal", .rank = 1},
                {"", 2, true},
                {.title = "native / Torch eng.", .rank = 4}});
}

// "-" where one side is missing.
std::string spread_text(const Spread& ratios) {
  if (ratios.median == 0) return "-";
  return fmt::format("{} .. {}", short_ratio(ratios.low), short_ratio(ratios.high));
}

void report(Table& table, const Network& network, Mode mode, std::int64_t batch,
            const Contest& contest, bool smoke) {
  const Rates& native = contest.best("native");
  const Rates& torch = contest.best("torch");
  const Rates& bare = contest.best("LibTorch");
  const double flops = is_training(mode) ? train_flops(network.layers) : eval_flops(network.layers);
  const Spread to_bare = ratio(native, bare);
  const double peak = 100 * flops * ratio(native, contest.peak()).median;
  const Goal goal = smoke ? Goal{} : goal_of(network.name, mode, batch);
  const auto or_dash = [](const Rates& rates) { return short_number(spread(rates).median); };
  table.row({network.name, name(mode), batch == kBestBatch ? "best" : fmt::to_string(batch),
             or_dash(native), native.empty() ? "-" : fmt::format("{:.0f}", peak), or_dash(torch),
             or_dash(bare), short_ratio(to_bare.median), spread_text(to_bare),
             goal.must > 0 ? short_ratio(goal.must) : "",
             goal.goal > 0 ? short_ratio(goal.goal) : "", mark(goal, to_bare.median),
             short_ratio(ratio(native, torch).median)});
}

std::string row_name(const Network& network, Mode mode, const std::string& batch) {
  return fmt::format("{} {} {}", network.name, name(mode), batch);
}

void measure(Table& table, const Network& network, Mode mode, const Rows& rows,
             const Settings& settings) {
  for (const std::int64_t batch : kBatches) {
    if (batch > rows.count()) break;
    if (!settings.wants(row_name(network, mode, fmt::to_string(batch)))) continue;
    Contest contest(network, rows, mode);
    contest.add_engines(batch);
    contest.add_libtorch(batch);
    contest.run(settings);
    report(table, network, mode, batch, contest, settings.smoke);
  }
  if (is_training(mode) || !settings.wants(row_name(network, mode, "best"))) return;
  Contest contest(network, rows, mode);
  for (const std::int64_t batch : {std::int64_t{256}, std::int64_t{4096}, rows.count()}) {
    if (batch > rows.count()) continue;
    contest.add_engines(batch);
    contest.add_libtorch(batch);
  }
  contest.run(settings);
  report(table, network, mode, kBestBatch, contest, settings.smoke);
}

// Who takes part, and who does not.
void introduce() {
  std::string rivals;
  std::string missing;
  try {
    engine::load_engine("torch");
    rivals = ", Torch engine";
  } catch (const Error& error) {
    missing += fmt::format("No Torch engine: {}.\n", error.message());
  }
  const std::string libtorch = prepare_bare_libtorch();
  if (libtorch.empty()) {
    missing += fmt::format("No LibTorch to compare with: {}.\n", bare_libtorch_why_not({}));
  } else {
    rivals += fmt::format(", {} (no shuffling)", libtorch);
  }
  fmt::print("Samples/s of one thread by processor time: {}{}.\n{}",
             engine::load_engine("native").version(), rivals, missing);
}

void run(const Settings& settings) {
  introduce();
  const Contender peak = fma_peak();
  const double flops = spread(alternate({&peak, 1}, settings).front()).median;
  const std::string how =
      settings.smoke ? std::string(kSmokeFigures)
                     : fmt::format("Medians of {} windows; ++ goal met, + must met, -- missed.",
                                   settings.windows);
  fmt::print("FMA peak ({}): {:.1f} GFLOP/s. {}\n\n", fma_peak_name(), flops / 1e9, how);
  Table table = make_table();
  for (const Network& network : networks()) {
    for (const bool training : {true, false}) {
      const Rows rows =
          make_rows(network, row_count(network, training ? Mode::Train : Mode::Eval, settings));
      for (const Mode mode : kModes) {
        if (is_training(mode) == training) measure(table, network, mode, rows, settings);
      }
    }
  }
  need_rows(settings, table.rows());
}

}  // namespace
}  // namespace mase::bench

int main(int argc, char** argv) {
  const auto settings = mase::bench::parse_settings(
      argc, argv, "Native engine, Torch engine and bare LibTorch: network x mode x batch.");
  try {
    mase::bench::run(settings);
  } catch (const mase::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
