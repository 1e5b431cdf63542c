#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mase/train/sweep/metrics_table.h"
#include "mase/train/sweep/sweep.h"

// What a sweep came to, for people and for other programs.
namespace mase::train {

// Over the seeds of a configuration.
struct Spread {
  std::int64_t count = 0;
  double mean = kNotMeasured;
  double deviation = kNotMeasured;  // of the sample (n - 1); NaN for less than two
  double least = kNotMeasured;
  double greatest = kNotMeasured;
};
// NaN values do not count.
Spread spread_of(const std::vector<double>& values);

// The runs that differ in "seed" alone.
struct Configuration {
  ir::Dict settings;  // without "seed"
  std::vector<const RunOutcome*> runs;
  std::int64_t finished = 0;
  std::int64_t failed = 0;
  std::int64_t parameters = 0;  // of the network
  double seconds = 0;           // mean of a finished run
  std::array<Spread, kMeasured.size()> measured;
  bool best = false;

  const Spread& spread(std::string_view name) const;  // of kMeasured
};

// The measurements a sweep may be ranked by: those that the printed table shows.
std::vector<std::string_view> rankings();

// In the order of the runs. The one with the best mean of `rank_by` is marked: among those with
// finished runs, the first of equals. `result` must outlive it.
std::vector<Configuration> configurations(const SweepResult& result,
                                          std::string_view rank_by = "best_val_acc");

// What all runs were trained with alike, of RunOutcome::options; without what is None.
ir::Dict fixed_options(const SweepResult& result);

struct SweepTable {
  std::string_view rank_by = "best_val_acc";
  int width = 0;          // columns to fit into; 0: as wide as it is
  bool markdown = false;  // as web sites and editors render it, as wide as it is
};
// One row per configuration with what tells it from the others, its epochs, batch size and learning
// rate, and what it came to; the best one with a star. Then what the columns mean, the columns that
// were left out for the width, and the failed runs with their reasons.
std::string print_sweep_table(const SweepResult& result, const SweepTable& options = {});
// One row per run.
std::string sweep_csv(const SweepResult& result);
// {"runs": [...], "configurations": [...], ...}; what was not measured is null.
std::string sweep_json(const SweepResult& result, std::string_view rank_by = "best_val_acc");
// One page that needs nothing else: curves, accuracy by setting, tables to be sorted. Learning
// curves are read from the folders of the runs. `date` is shown as it is.
std::string sweep_html(const SweepResult& result, std::string_view title,
                       std::string_view rank_by = "best_val_acc", std::string_view date = "");

// sweep.csv, sweep.json and sweep.html. Error{RunFailed} if one cannot be written.
void write_sweep_report(const SweepResult& result, const std::filesystem::path& folder,
                        std::string_view title, std::string_view rank_by = "best_val_acc");

}  // namespace mase::train
