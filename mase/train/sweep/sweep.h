#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/ir/graph.h"
#include "mase/train/train.h"

// Many independent trainings over the cores: the loop behind `ch sweep`. How the outcomes are
// summed up and written is in report.h.
namespace mase::train {

// One training.
struct SweepRun {
  // What tells it from the others, in the order of the tables: {"batch_size", 64}, {"seed", 3}.
  // Runs that differ in "seed" alone are one configuration.
  ir::Dict settings;
  // The network with its initial weights, the same at every call. Called from several threads.
  std::function<ir::Graph()> graph;
  std::shared_ptr<const data::DataSet> data;
  std::string engine = "auto";                 // by name, as engine::choose takes it
  const engine::Engine* own_engine = nullptr;  // instead of one by name
  // `threads`, `resume`, `catch_signals` and `on_epoch` are the sweep's own.
  FitOptions fit;
  ir::Dict hyper_parameters = {};  // every option, for hparams.yaml and run.json
};

inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// What a run measured, NaN where it did not.
struct Measured {
  double train_loss_step = kNotMeasured;  // of the last batch
  double train_loss_epoch = kNotMeasured;
  double train_acc_epoch = kNotMeasured;
  double val_loss_epoch = kNotMeasured;  // of the last epoch
  double val_acc_epoch = kNotMeasured;
  double best_epoch = kNotMeasured;  // of the lowest validation loss, from 0
  double best_val_loss = kNotMeasured;
  double best_val_acc = kNotMeasured;
  double test_loss = kNotMeasured;  // of best.ckpt; of the last weights where there is none
  double test_acc = kNotMeasured;
};

enum class RunStatus { Waiting, Finished, Failed, Interrupted };
std::string_view name(RunStatus status);  // "finished"

struct RunOutcome {
  ir::Dict settings;
  // What it was trained with: the hyper-parameters it was given, and batch_size, learning_rate and
  // max_epochs of its FitOptions where those do not say.
  ir::Dict options;
  std::string data;  // data set, rows and source, for people
  RunStatus status = RunStatus::Waiting;
  std::string reason;            // why it failed
  std::string key;               // of all that decides the outcome, 16 hexadecimal digits
  std::filesystem::path folder;  // a project folder, as `ch train` makes one
  std::string engine;
  std::int64_t parameters = 0;
  std::int64_t epochs = 0;  // completed
  std::int64_t steps = 0;
  double seconds = 0;  // training and testing, without what a killed process had done
  Measured measured;
};

// How far a sweep has come.
struct SweepStatus {
  std::int64_t total = 0;
  std::int64_t finished = 0;  // those of an earlier time included
  std::int64_t failed = 0;
  double seconds = 0;                // since the start
  double remaining = kNotMeasured;   // seconds, estimated from the work done so far
  const RunOutcome* best = nullptr;  // highest best_val_acc so far (test_acc without validation)
  std::int64_t left() const { return total - finished - failed; }
};

struct SweepOptions {
  std::filesystem::path folder;           // gets state.json and runs/
  int jobs = 0;                           // trainings at a time, one thread each; 0 = one per core
  bool catch_signals = true;              // as FitOptions::catch_signals
  std::vector<std::string> command = {};  // as typed, for the runs' run.json
  // Both are called in the thread that called sweep().
  std::function<void(const RunOutcome&)> on_run = nullptr;        // after each run
  std::function<void(const SweepStatus&)> on_progress = nullptr;  // some times a second
};

struct SweepResult {
  std::vector<RunOutcome> runs;  // in the order they were given
  std::int64_t reused = 0;       // finished at an earlier time
  bool interrupted = false;      // by a signal; what was done is kept
  int signal = 0;

  std::int64_t failed() const;
};

// Trains and tests all runs. What finished in this folder before, under the same key, is not
// repeated; what was interrupted goes on from its last.ckpt; what failed is tried again. A run that
// fails does not stop the others. Outcomes do not depend on `jobs`.
// Throws Error{Usage} that lists everything wrong with any run before the first one starts,
// Error{RunFailed} where the folder cannot be written or another sweep is at work in it.
SweepResult sweep(const std::vector<SweepRun>& runs, const SweepOptions& options);

// A setting's value as people write it: 64, 0.001, jsc-tiny.
std::string value_text(const ir::Value& value);
// "batch_size=64, seed=3"
std::string settings_text(const ir::Dict& settings);

}  // namespace mase::train
