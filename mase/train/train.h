#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/ir/graph.h"
#include "mase/support/log.h"

// Training, testing and prediction: the loops behind `ch train`, `ch test` and `ch predict`.
namespace mase::train {

// Where a run writes and what it tells the user. `ch` fills this in; a library user may leave
// every part empty and gets a silent run without files.
struct Output {
  std::filesystem::path folder;      // <project_dir>/<project>; empty = write nothing
  std::ostream* out = nullptr;       // results: the test table
  std::ostream* err = nullptr;       // model summary and notices
  std::FILE* bars = nullptr;         // progress bars; plain lines where it is no terminal
  const Log* log = nullptr;          // log lines: where files are, how to resume
  int width = 80;                    // columns of the test table
  ir::Dict hyper_parameters;         // every effective option, for hparams.yaml and run.json
  std::vector<std::string> command;  // as typed, for run.json and for how to resume
  // Options of the command, each with a value, that going on does without: "--load".
  std::vector<std::string> not_again = {};

  void info(std::string_view text) const;
  void warn(std::string_view text) const;
  void notice(std::string_view text) const;  // a line on `err`
};

// What the loop says after each epoch.
struct EpochEnd {
  std::int64_t epoch = 0;   // completed
  std::int64_t epochs = 0;  // of the whole run, max_steps counted in
  double train_loss = 0;
  double train_acc = 0;
  std::optional<double> val_loss;  // where there are validation rows
  std::optional<double> val_acc;
};

// Options that a user asked for by name: they win over those of another program's checkpoint that
// the run goes on from, the others are that checkpoint's.
struct Asked {
  bool optimiser = false;
  bool learning_rate = false;
  bool weight_decay = false;
};

// Ends a run when a metric has not improved for `patience` epochs, as Lightning's EarlyStopping.
struct EarlyStopping {
  std::string monitor = "val_loss_epoch";  // or val_acc_epoch, train_loss_epoch, train_acc_epoch
  std::int64_t patience = 3;
  double min_delta = 0;  // an improvement is more than this
};

struct FitOptions {
  engine::OptimiserOptions optimiser;
  Asked asked = {};
  engine::Precision precision = engine::Precision::Float32;
  std::int64_t batch_size = 128;
  std::int64_t max_epochs = 20;
  std::int64_t max_steps = -1;  // optimiser steps; -1 = no limit
  std::int64_t accumulate_grad_batches = 1;
  std::int64_t log_every_n_steps = 50;  // 0 = never
  std::uint64_t seed = 0;
  int threads = 1;
  bool deterministic = false;  // the same bits on every processor: engine::ProgramOptions
  std::optional<EarlyStopping> early_stopping = {};
  bool one_batch = false;  // --debug: one batch through everything, no files
  bool stop_on_nan = true;
  // "last", "best" or a path: go on from there, bitwise as if never stopped.
  std::optional<std::string> resume;
  // last.ckpt is written after every epoch, but not more often than this; always at the end. What
  // a killed run loses at most, and what keeps epochs of a few milliseconds from waiting for disks.
  double seconds_between_checkpoints = 1.0;
  // SIGINT and SIGTERM finish the step and save (support/signals.h). A program with its own
  // StopSignals around the call says false.
  bool catch_signals = true;
  // Called in the thread of the run. What it throws ends the run and goes through.
  std::function<void(const EpochEnd&)> on_epoch = nullptr;
};

struct FitResult {
  ir::Graph graph;             // with the trained parameters
  std::int64_t epochs = 0;     // completed
  std::int64_t steps = 0;      // optimiser updates
  double train_loss_step = 0;  // of the last batch
  double train_acc_step = 0;
  double train_acc_epoch = 0;  // over the whole last epoch; 0 where none was trained here
  double val_loss_epoch = 0;
  double val_acc_epoch = 0;
  std::filesystem::path best_checkpoint;
  std::filesystem::path last_checkpoint;
  bool stopped_early = false;  // by early stopping
  bool interrupted = false;    // Ctrl-C or SIGTERM: last.ckpt is saved
  int signal = 0;
};

// Throws Error{Usage} for options that no run can have, Error{RunFailed} for those that this data
// cannot be trained with. `fit` begins with it.
void check_fit(const ir::Graph& graph, const data::DataSet& data, const FitOptions& options);

// The graph that `fit` goes on with: where `options.resume` names a checkpoint of a quantised
// network, a float graph gets its number formats. For those who choose an engine by the graph.
ir::Graph resumed_graph(ir::Graph graph, const FitOptions& options, const Output& output = {});

FitResult fit(ir::Graph graph, const data::DataSet& data, const engine::Engine& engine,
              const FitOptions& options, const Output& output = {});

struct TestResult {
  double accuracy = 0;  // correct / total
  double loss = 0;      // mean over batches of the batch mean, single precision as printed
  std::int64_t rows = 0;
  // Where the loss is not finite: the first such batch and the cause; empty otherwise.
  std::string nonfinite = {};
};

TestResult test(const ir::Graph& graph, const data::Split& split, const engine::Engine& engine,
                std::int64_t batch_size, const Output& output = {},
                const engine::ProgramOptions& options = {});
// The table that `ch test` prints at this terminal width.
std::string print_test_table(const TestResult& result, int width);
// The model summary printed before training.
std::string print_model_summary(const ir::Graph& graph);

struct Predictions {
  ir::Tensor logits;           // [N, classes] float32
  ir::Tensor classes;          // [N] int64; -1 where a logit is NaN, as nothing is decided there
  std::string nonfinite = {};  // how many rows have logits that are not finite, and the cause
};
Predictions predict(const ir::Graph& graph, const data::Split& split, const engine::Engine& engine,
                    std::int64_t batch_size, const engine::ProgramOptions& options = {});

// Cosine schedule, stepped once per epoch: m + (lr0 - m) (1 + cos(pi t / T)) / 2.
double cosine_rate(double initial, double minimum, std::int64_t epoch, std::int64_t max_epochs);

}  // namespace mase::train
