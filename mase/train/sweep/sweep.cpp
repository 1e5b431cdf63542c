// A sweep: check every run, leave out what is known, and let threads take the rest, the longest
// first. One thread, the caller's, keeps the state and speaks.
#include "mase/train/sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "mase/support/diagnostics.h"
#include "mase/support/files.h"
#include "mase/support/signals.h"
#include "mase/train/sweep/key.h"
#include "mase/train/sweep/pool.h"
#include "mase/train/sweep/state.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;

// What is known of a run before it starts.
struct Prepared {
  std::vector<SweepJob> jobs;                // one per run, in their order
  std::map<std::string, std::size_t> first;  // the first run with a key
};

const engine::Engine& engine_of(const SweepRun& run, const ir::Graph& graph) {
  if (run.own_engine) return *run.own_engine;
  const engine::ProgramOptions options{.precision = run.fit.precision,
                                       .deterministic = run.fit.deterministic};
  return *engine::choose(graph, run.engine, options).engine;
}

ir::Dict options_of(const SweepRun& run) {
  ir::Dict options = run.hyper_parameters;
  const auto add = [&](std::string_view name, ir::Value value) {
    const auto same = [&](const auto& item) { return item.first == name; };
    if (std::none_of(options.begin(), options.end(), same)) {
      options.emplace_back(name, std::move(value));
    }
  };
  add("batch_size", run.fit.batch_size);
  add("learning_rate", run.fit.optimiser.learning_rate);
  add("max_epochs", run.fit.max_epochs);
  return options;
}

// "jsc: 120000 rows for training, ... (data/jsc/jsc_generated.h5)"
std::string data_text(const data::DataSet& data) {
  return fmt::format("{}: {} rows for training, {} for validation, {} for testing ({})",
                     data.info.name, data.train.rows(), data.validation.rows(), data.test.rows(),
                     data.source);
}

// Relative cost: what a row and a batch take, the network's size counted in.
double expected_work(const SweepRun& run, std::int64_t parameters) {
  const double rows = static_cast<double>(run.data->train.rows());
  const double batches = std::ceil(rows / static_cast<double>(run.fit.batch_size));
  double epochs = static_cast<double>(run.fit.max_epochs);
  if (run.fit.max_steps >= 0) {
    epochs = std::min(epochs, static_cast<double>(run.fit.max_steps) / std::max(batches, 1.0));
  }
  return epochs * (rows * (100 + static_cast<double>(parameters)) + batches * 10'000) + 1;
}

Prepared prepare(const std::vector<SweepRun>& runs, const SweepOptions& options) {
  Prepared out;
  Diagnostics problems;
  std::set<std::string> told;
  std::set<ErrorKind> kinds;
  for (const SweepRun& run : runs) {
    SweepJob job{.run = &run};
    try {
      const ir::Graph graph = run.graph();
      job.engine = &engine_of(run, graph);
      check_fit(graph, *run.data, run.fit);
      job.outcome.settings = run.settings;
      job.outcome.options = options_of(run);
      job.outcome.data = data_text(*run.data);
      job.outcome.key = run_key(run, graph, *job.engine);
      job.outcome.engine = std::string(job.engine->name());
      job.outcome.parameters = graph.parameter_count();
      job.work = expected_work(run, job.outcome.parameters);
    } catch (const Error& error) {
      kinds.insert(error.kind());
      if (!told.insert(error.text()).second) continue;  // once, not for every seed
      problems.add(fmt::format("{}: {}", settings_text(run.settings), error.message()),
                   error.where(), error.hint());
      continue;
    }
    out.first.emplace(job.outcome.key, out.jobs.size());
    out.jobs.push_back(std::move(job));
  }
  problems.throw_if_any(kinds.size() == 1 ? *kinds.begin() : ErrorKind::Usage);
  if (out.jobs.empty()) usage_error("a sweep of no runs");
  if (options.folder.empty()) usage_error("a sweep needs a folder to keep its runs in");
  return out;
}

// "batch_size-64_seed-3_0123456789abcdef": readable, and another one as soon as anything differs.
std::string folder_name(const ir::Dict& settings, const std::string& key) {
  constexpr std::size_t kMost = 120;
  std::string text;
  for (const auto& [name, value] : settings) {
    std::string shown = value_text(value);
    if (shown.find('/') != std::string::npos) shown = fs::path(shown).stem().string();
    text += fmt::format("{}-{}_", name, shown);
  }
  for (char& c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  }
  return text.substr(0, kMost) + key;
}

// The folders there are, by the keys their names end with: a run may have been called otherwise
// when another sweep made it.
std::map<std::string, fs::path> folders_by_key(const fs::path& runs) {
  std::map<std::string, fs::path> out;
  std::error_code code;
  for (fs::directory_iterator it(runs, code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename();
    out[name.substr(name.rfind('_') + 1)] = it->path();
  }
  return out;
}

// What came of a run that is the same as `run`, which may be called otherwise.
RunOutcome under_the_name_of(const RunOutcome& run, RunOutcome outcome) {
  outcome.settings = run.settings;
  outcome.options = run.options;
  outcome.data = run.data;
  return outcome;
}

// What an earlier process knows of a run. A finished one counts while its folder is there.
RunOutcome recall(RunOutcome outcome, const SweepState& state, const fs::path& runs,
                  const std::map<std::string, fs::path>& folders) {
  const auto folder = folders.find(outcome.key);
  if (folder == folders.end()) {
    outcome.folder = runs / folder_name(outcome.settings, outcome.key);
    return outcome;
  }
  if (const RunOutcome* known = state.find(outcome.key)) {
    outcome = under_the_name_of(outcome, *known);
    if (outcome.status == RunStatus::Failed) outcome.status = RunStatus::Waiting;
  }
  outcome.folder = folder->second;
  return outcome;
}

double score(const RunOutcome& run) {
  const double accuracy = run.measured.best_val_acc;
  return accuracy == accuracy ? accuracy : run.measured.test_acc;
}

// Counts for the callbacks; the best among equals is the first in the order of the runs.
SweepStatus status_of(const SweepResult& result) {
  SweepStatus status;
  status.total = static_cast<std::int64_t>(result.runs.size());
  for (const RunOutcome& run : result.runs) {
    if (run.status == RunStatus::Failed) ++status.failed;
    if (run.status != RunStatus::Finished) continue;
    ++status.finished;
    if (!status.best || score(run) > score(*status.best)) status.best = &run;
  }
  return status;
}

}  // namespace

SweepResult sweep(const std::vector<SweepRun>& runs, const SweepOptions& options) {
  Prepared prepared = prepare(runs, options);
  const FolderLock lock(options.folder);
  SweepState state(options.folder);
  const fs::path runs_folder = options.folder / "runs";
  const std::map<std::string, fs::path> folders = folders_by_key(runs_folder);
  SweepResult result;
  std::vector<SweepJob*> waiting;
  for (std::size_t i = 0; i < prepared.jobs.size(); ++i) {
    SweepJob& job = prepared.jobs[i];
    job.outcome = recall(std::move(job.outcome), state, runs_folder, folders);
    if (job.outcome.status == RunStatus::Finished) ++result.reused;
    const bool first = prepared.first.at(job.outcome.key) == i;
    if (first && job.outcome.status != RunStatus::Finished) waiting.push_back(&job);
    result.runs.push_back(job.outcome);
  }
  std::stable_sort(waiting.begin(), waiting.end(),
                   [](const SweepJob* a, const SweepJob* b) { return a->work > b->work; });

  std::optional<StopSignals> signals;
  if (options.catch_signals) signals.emplace();
  SweepPool pool(std::move(waiting), options.jobs, options.command);
  const auto tell_progress = [&] {
    if (!options.on_progress) return;
    SweepStatus status = status_of(result);
    status.seconds = pool.seconds();
    status.remaining = pool.remaining();
    options.on_progress(status);
  };
  tell_progress();
  while (!pool.done()) {
    for (const RunOutcome& outcome : pool.wait()) {
      for (RunOutcome& run : result.runs) {  // runs that are the same have one outcome
        if (run.key == outcome.key) run = under_the_name_of(run, outcome);
      }
      state.put(outcome);
      if (options.on_run) options.on_run(outcome);
    }
    tell_progress();
  }
  state.flush();
  result.interrupted = stop_requested() && status_of(result).left() > 0;
  result.signal = result.interrupted ? stop_signal() : 0;
  return result;
}

std::int64_t SweepResult::failed() const {
  return std::count_if(runs.begin(), runs.end(),
                       [](const RunOutcome& run) { return run.status == RunStatus::Failed; });
}

std::string_view name(RunStatus status) {
  switch (status) {
    case RunStatus::Waiting:
      return "waiting";
    case RunStatus::Finished:
      return "finished";
    case RunStatus::Failed:
      return "failed";
    case RunStatus::Interrupted:
      return "interrupted";
  }
  return "";
}

std::string value_text(const ir::Value& value) {
  return value.is<std::string>() ? value.as_text() : ir::repr(value);
}

std::string settings_text(const ir::Dict& settings) {
  std::string text;
  for (const auto& [name, value] : settings) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value_text(value));
  }
  return text;
}

}  // namespace mase::train
