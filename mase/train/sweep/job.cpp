// One training of a sweep: fit, test of the best checkpoint, what they measured.
#include "mase/train/sweep/job.h"

#include <fmt/format.h>

#include <chrono>
#include <new>

#include "mase/io/graph/load.h"
#include "mase/support/error.h"
#include "mase/train/run_folder.h"
#include "mase/train/sweep/curves.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;

// Checkpoints appear whole or not at all, so one that cannot be read is not ours: begin anew.
bool can_go_on(const fs::path& folder) {
  return io::read_checkpoint(newest_checkpoint(folder, "last.ckpt")).ok();
}

void measure_curves(RunOutcome& outcome) {
  Measured& m = outcome.measured;
  for (const EpochRow& row : read_curves(outcome.folder)) {
    m.train_loss_epoch = row.train_loss;
    m.train_acc_epoch = row.train_acc;
    m.val_loss_epoch = row.val_loss;
    m.val_acc_epoch = row.val_acc;
    const bool best = row.val_loss < m.best_val_loss || m.best_val_loss != m.best_val_loss;
    if (!best || row.val_loss != row.val_loss) continue;
    m.best_epoch = row.epoch;
    m.best_val_loss = row.val_loss;
    m.best_val_acc = row.val_acc;
  }
}

void train_and_test(const SweepRun& run, const engine::Engine& engine,
                    const FitOptions& fit_options, const Output& output, RunOutcome& outcome) {
  FitResult fitted = fit(run.graph(), *run.data, engine, fit_options, output);
  outcome.epochs = fitted.epochs;
  outcome.steps = fitted.steps;
  outcome.status = fitted.interrupted ? RunStatus::Interrupted : RunStatus::Finished;
  if (fitted.interrupted) return;
  if (fitted.steps > 0) outcome.measured.train_loss_step = fitted.train_loss_step;
  measure_curves(outcome);
  if (run.data->test.rows() == 0) return;
  if (!fitted.best_checkpoint.empty()) {
    io::load_parameters(fitted.best_checkpoint, fitted.graph);
  }
  const TestResult tested = test(fitted.graph, run.data->test, engine, fit_options.batch_size, {},
                                 {.precision = fit_options.precision, .seed = fit_options.seed});
  if (!tested.nonfinite.empty()) {
    throw Error(ErrorKind::RunFailed, "test of the best checkpoint: " + tested.nonfinite);
  }
  outcome.measured.test_loss = tested.loss;
  outcome.measured.test_acc = tested.accuracy;
}

}  // namespace

RunOutcome run_job(const SweepRun& run, const engine::Engine& engine, RunOutcome outcome,
                   const std::vector<std::string>& command,
                   const std::function<void(const EpochEnd&)>& on_epoch) {
  const auto start = std::chrono::steady_clock::now();
  Output output;
  output.folder = outcome.folder;
  output.hyper_parameters = run.hyper_parameters;
  output.command = command;
  FitOptions options = run.fit;
  options.threads = 1;
  options.catch_signals = false;
  options.on_epoch = on_epoch;
  options.resume.reset();
  if (can_go_on(outcome.folder)) options.resume = "last";
  outcome.measured = {};
  outcome.reason.clear();
  try {
    train_and_test(run, engine, options, output, outcome);
  } catch (const Error& error) {
    outcome.status = RunStatus::Failed;
    outcome.reason = error.message();
  } catch (const std::bad_alloc&) {
    outcome.status = RunStatus::Failed;
    outcome.reason = "out of memory";
  } catch (const std::exception& error) {
    outcome.status = RunStatus::Failed;
    outcome.reason =
        fmt::format("internal error: {} (this is a bug in mase: please report it)", error.what());
  }
  outcome.seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

}  // namespace mase::train
