// What --deterministic costs: samples per second of training steps of the native engine with the
// instruction set at hand and with the one order of summation that all sets share, in turns. Under
// AVX-512 both are the same; MASE_NATIVE_ISA=avx2 (or portable) shows the cost elsewhere.
#include <fmt/format.h>

#include "bench/measure.h"
#include "bench/steps.h"
#include "bench/table.h"
#include "mase/engine/engine.h"
#include "mase/support/error.h"

namespace mase::bench {
namespace {

constexpr std::int64_t kBatches[] = {64, 256, 1024};
constexpr std::int64_t kRows = 120'000;
constexpr std::int64_t kPictures = 6'000;

std::int64_t row_count(const Network& network, const Settings& settings) {
  if (network.sample.size() > 1) return settings.smoke ? 64 : kPictures;
  return settings.smoke ? 1024 : kRows;
}

void measure(Table& table, const Network& network, Mode mode, const Rows& rows,
             const Settings& settings) {
  for (const std::int64_t batch : kBatches) {
    if (batch > rows.count()) break;
    const std::string row = fmt::format("{} {} {}", network.name, name(mode), batch);
    if (!settings.wants(row)) continue;
    const auto contender = [&](const char* title, bool deterministic) {
      return Contender{title, engine_steps("native", network, rows, batch, mode, deterministic),
                       static_cast<double>(batch)};
    };
    const std::vector<Contender> both{contender("native", false), contender("deterministic", true)};
    const std::vector<Rates> rates = alternate(both, settings);
    const Spread cost = ratio(rates[0], rates[1]);
    table.row({network.name, std::string(name(mode)), fmt::to_string(batch),
               short_number(spread(rates[0]).median), short_number(spread(rates[1]).median),
               short_ratio(cost.median),
               fmt::format("{} .. {}", short_ratio(cost.low), short_ratio(cost.high))});
  }
}

void run(const Settings& settings) {
  fmt::print("Training, samples/s of one thread by processor time: {}. {}\n\n",
             engine::load_engine("native").version(), settings.smoke ? kSmokeFigures : "");
  Table table({{"network", 10, true},
               {"mode", 9, true},
               {"batch"},
               {"native", 7},
               {"deterministic", 13},
               {"native / deterministic"},
               {.title = "10 % .. 90 %", .width = 14, .rank = 1}});
  for (const Network& network : networks()) {
    const Rows rows = make_rows(network, row_count(network, settings));
    for (const Mode mode : {Mode::Train, Mode::TrainQuantised}) {
      measure(table, network, mode, rows, settings);
    }
  }
  need_rows(settings, table.rows());
}

}  // namespace
}  // namespace mase::bench

int main(int argc, char** argv) {
  const auto settings = mase::bench::parse_settings(
      argc, argv, "Native engine with and without --deterministic: network x mode x batch.");
  try {
    mase::bench::run(settings);
  } catch (const mase::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
