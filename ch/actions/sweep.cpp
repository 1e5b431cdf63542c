// ch sweep MODEL DATASET --batch-size 64,128 --seed 0..7, or ch sweep --config FILE.toml
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>

#include "ch/actions/actions.h"
#include "ch/load.h"
#include "ch/run.h"
#include "ch/setup.h"
#include "ch/sweep_progress.h"
#include "mase/io/graph/quantisation.h"
#include "mase/support/error.h"
#include "mase/support/printable.h"
#include "mase/train/resume.h"
#include "mase/train/sweep/report.h"
#include "mase/train/sweep/sweep.h"

namespace ch {

namespace fs = std::filesystem;
namespace train = mase::train;

namespace {

// What a killed sweep loses of each running job at most. Two jobs that wait for one disk twice a
// second would lose more together.
constexpr double kSecondsBetweenCheckpoints = 5;

// Data sets, each opened once for all runs that use it.
class Shelf {
 public:
  explicit Shelf(const mase::Log& log) : log_(log) {}

  std::shared_ptr<const mase::data::DataSet> get(const Settings& settings) {
    // The seed decides which rows are held back for validation.
    const double fraction = settings.number("val_fraction");
    const std::int64_t seed = fraction > 0 ? settings.integer("seed") : 0;
    auto& found = open_[{settings.text("dataset"), fraction, seed}];
    if (found) return found;
    // Once for each data set, not for each seed.
    const bool quiet = !told_.insert(settings.text("dataset")).second;
    if (!quiet) log_.info(fmt::format("Initialising dataset '{}'...", settings.text("dataset")));
    found = std::make_shared<const mase::data::DataSet>(
        open_data(settings, [this, quiet](mase::LogLevel level, std::string_view text) {
          if (!quiet) log_.write(level, text);
        }));
    return found;
  }

 private:
  const mase::Log& log_;
  std::map<std::tuple<std::string, double, std::int64_t>,
           std::shared_ptr<const mase::data::DataSet>>
      open_;
  std::set<std::string> told_;
};

// What is said once for all runs, which may start side by side.
class Once {
 public:
  explicit Once(const mase::Log& log) : log_(log) {}
  void say(mase::LogLevel level, const std::string& text) {
    const std::scoped_lock lock(mutex_);
    if (told_.insert(text).second) log_.write(level, text);
  }

 private:
  const mase::Log& log_;
  std::mutex mutex_;
  std::set<std::string> told_;
};

std::function<mase::ir::Graph()> graph_of(const Settings& settings, std::shared_ptr<Once> once) {
  return [settings, once, checkpoint = find_checkpoint(settings)] {
    mase::ir::Graph graph = build_model(settings);
    if (!checkpoint) return graph;
    const auto report = load_into(*checkpoint, settings, graph);
    for (const std::string& note : report.notes) once->say(mase::LogLevel::Info, note);
    if (checkpoint->type != "mz" && !report.exact()) {
      once->say(mase::LogLevel::Warning, "\n" + report.text());
    }
    if (!report.quantisation.empty()) {
      once->say(mase::LogLevel::Info,
                fmt::format("The network is quantised: number formats on {}",
                            mase::io::quantised_nodes_text(report.quantisation)));
    }
    return graph;
  };
}

std::vector<train::SweepRun> sweep_runs(const SweepPlan& plan, const mase::Log& log) {
  Shelf shelf(log);
  const auto once = std::make_shared<Once>(log);
  std::vector<train::SweepRun> runs;
  for (const Settings& settings : plan.runs) {
    train::SweepRun run;
    for (const std::string& name : plan.varied) {
      run.settings.emplace_back(name, settings.value(name));
    }
    run.graph = graph_of(settings, once);
    run.data = shelf.get(settings);
    run.engine = settings.text("engine");
    run.fit = fit_options(settings);
    run.fit.seconds_between_checkpoints = kSecondsBetweenCheckpoints;
    run.fit.one_batch = false;  // of a file that `ch train --debug` reads, too
    run.hyper_parameters = hyper_parameters(settings, "sweep");
    runs.push_back(std::move(run));
  }
  return runs;
}

std::string count_text(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void say_results(const Run& run, const train::SweepResult& result, const fs::path& folder) {
  const std::string& rank = run.settings.text("best_by");
  train::write_sweep_report(result, folder, fmt::format("Sweep {}", run.folder.filename().string()),
                            rank);
  // A file gets the whole table.
  const bool seen = isatty(STDOUT_FILENO) == 1;
  const train::SweepTable table{.rank_by = rank,
                                .width = seen ? mase::inspect_terminal(STDOUT_FILENO).width : 0,
                                .markdown = run.settings.flag("markdown")};
  std::cout << (run.json() ? train::sweep_json(result, rank)
                           : train::print_sweep_table(result, table))
            << std::flush;
  run.info(fmt::format("Wrote {}, sweep.json and sweep.html beside it",
                       (folder / "sweep.csv").string()));
}

void say_how_to_go_on(const Run& run, const train::SweepResult& result) {
  const auto finished = std::count_if(
      result.runs.begin(), result.runs.end(),
      [](const train::RunOutcome& r) { return r.status == train::RunStatus::Finished; });
  run.warn(fmt::format("Stopped by {}: {} of {} are finished, the others go on where they are",
                       result.signal == SIGTERM ? "SIGTERM" : "Ctrl-C", finished,
                       count_text(result.runs.size(), "run")));
  run.info("Go on with: " +
           train::typed_again(run.invocation.command, run.folder.filename().string()));
}

}  // namespace

int run_sweep(Invocation& invocation) {
  if (invocation.settings.flag("json") && invocation.settings.flag("markdown")) {
    mase::usage_error("--json and --markdown are two forms of one result: leave one out");
  }
  Run run(invocation);
  run.folder = project_folder(invocation);
  const fs::path folder = run.folder / "sweep";
  const std::vector<train::SweepRun> runs = sweep_runs(invocation.sweep, run.log);
  const auto jobs = run.settings.integer("jobs");
  if (run.dry_run()) {
    std::cout << fmt::format("would train {}, {} at a time\n", count_text(runs.size(), "run"),
                             jobs);
    for (const train::SweepRun& each : runs) {
      std::cout << "  " << mase::printable(train::settings_text(each.settings)) << "\n";
    }
    std::cout << fmt::format("would write to {}\n", folder.string());
    return 0;
  }
  run.info(fmt::format("Project will be created at {}", run.folder.string()));
  run.info(fmt::format("Sweeping over {}, {} at a time...", count_text(runs.size(), "run"), jobs));

  SweepProgress progress(run.log);
  train::SweepOptions options;
  options.folder = folder;
  options.jobs = static_cast<int>(jobs);
  options.command = invocation.command;
  options.on_run = [&](const train::RunOutcome& outcome) { progress.run(outcome); };
  options.on_progress = [&](const train::SweepStatus& status) { progress.progress(status); };
  const train::SweepResult result = train::sweep(runs, options);
  mase::Progress::clear_line();
  if (result.reused > 0) {
    run.info(fmt::format("{} had finished before and {} not repeated",
                         count_text(static_cast<std::size_t>(result.reused), "run"),
                         result.reused == 1 ? "was" : "were"));
  }
  say_results(run, result, folder);
  if (result.interrupted) {
    say_how_to_go_on(run, result);
    return 128 + result.signal;
  }
  if (result.failed() > 0) return 1;
  run.complete("Sweep");
  return 0;
}

}  // namespace ch
