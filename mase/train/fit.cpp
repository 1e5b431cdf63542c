// The training loop: epochs of shuffled batches, a validation after each, checkpoints, and an end
// that leaves everything behind from which the run can go on bit for bit.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "mase/io/graph/load.h"
#include "mase/ops/op.h"
#include "mase/support/error.h"
#include "mase/support/printable.h"
#include "mase/support/signals.h"
#include "mase/train/bar.h"
#include "mase/train/early_stopping.h"
#include "mase/train/evaluate.h"
#include "mase/train/inherit.h"
#include "mase/train/nonfinite.h"
#include "mase/train/optimiser.h"
#include "mase/train/position.h"
#include "mase/train/quantised.h"
#include "mase/train/run_files.h"
#include "mase/train/text.h"
#include "mase/train/train.h"

namespace mase::train {
namespace {

constexpr std::int64_t kSanityBatches = 2;
constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

Schedule own_schedule(const FitOptions& options) {
  const engine::OptimiserOptions& optimiser = options.optimiser;
  if (options.max_epochs == 0) return {.base = optimiser.learning_rate};
  return {.kind = ScheduleKind::Cosine,
          .base = optimiser.learning_rate,
          .floor = minimum_learning_rate(optimiser.kind),
          .length = options.max_epochs};
}

class Fit {
 public:
  Fit(ir::Graph graph, const data::DataSet& data, const engine::Engine& engine,
      const FitOptions& options, const Output& output);
  FitResult run();

 private:
  enum class Stopped { No, AtLimit, BySignal };

  void loop();
  Stopped train_epoch();
  bool validate();  // false: a signal came in between
  void end_epoch(bool validated);
  void sanity_check();
  void log_step(const engine::BatchResult& last);
  [[noreturn]] void stop_on_nonfinite(const char* stage, std::span<const std::uint32_t> rows,
                                      const data::Split& split, engine::Mode mode);
  std::string postfix() const;
  void report_interruption();
  void report_end();
  void report_nothing_to_do();
  FitResult result();

  void set_rate() {
    rate_ = schedule_.rate(schedule_.by_step ? position_.step : position_.epoch);
    program_->set_learning_rate(rate_);
  }
  // Epochs in which so many updates happen, the last one begun.
  std::int64_t epochs_of(std::int64_t steps) const {
    const std::int64_t n = options_.accumulate_grad_batches;
    const std::int64_t per_epoch = batches_ / n + (batches_ % n > 0 ? 1 : 0);
    return steps / per_epoch + (steps % per_epoch > 0 ? 1 : 0);
  }
  bool awaits_validation() const { return position_.batch == batches_; }
  bool stopped_early() const {
    return options_.early_stopping && has_stopped(*options_.early_stopping, position_);
  }
  bool goes_on() const {
    return !stopped_early() && position_.epoch < max_epochs_ &&
           (position_.step < max_steps_ || awaits_validation());
  }

  void begin_from_checkpoint();
  void remember_stopping();

  ir::Graph graph_;
  const data::DataSet& data_;
  FitOptions options_;  // with the optimiser that is really used
  const Output& output_;
  std::unique_ptr<engine::Program> program_;
  std::optional<Resumption> from_;
  Schedule schedule_;
  double rate_ = 0;         // of the present step
  bool inherited_ = false;  // optimiser and schedule are those of another program's checkpoint
  std::optional<RunFiles> files_;
  data::Loader train_loader_;
  data::Loader validation_loader_;
  Position position_;
  std::int64_t batches_;  // of an epoch
  std::int64_t max_epochs_;
  std::int64_t max_steps_;
  std::optional<Bar> bar_;
  Stopped stopped_ = Stopped::No;
};

Fit::Fit(ir::Graph graph, const data::DataSet& data, const engine::Engine& engine,
         const FitOptions& options, const Output& output)
    : graph_(std::move(graph)),
      data_(data),
      options_(options),
      output_(output),
      train_loader_(data.train.rows(), options.batch_size, true, options.seed),
      validation_loader_(data.validation.rows(), options.batch_size, false, options.seed),
      batches_(options.one_batch ? 1 : train_loader_.batches()),
      max_epochs_(options.one_batch ? 1 : options.max_epochs),
      max_steps_(options.max_steps < 0 ? kNoLimit : options.max_steps) {
  schedule_ = own_schedule(options);
  if (options.resume) begin_from_checkpoint();
  ops::type_inputs(graph_, {&data.train.features, 1});
  program_ = engine.compile(graph_, {.precision = options.precision,
                                     .threads = options.threads,
                                     .seed = options.seed,
                                     .deterministic = options.deterministic});
  program_->set_optimiser(options_.optimiser);
  if (from_) restore(*from_, graph_, options_.optimiser, *program_);
  files_.emplace(options_, output, from_ ? &*from_ : nullptr);
  files_->describe(graph_, data, engine, schedule_, inherited_);
  if (from_) check_resumption(*from_, files_->facts(), output);
}

void Fit::begin_from_checkpoint() {
  from_ = find_resumption(*options_.resume, output_.folder, graph_);
  if (!from_->prefix.empty()) output_.info(io::stripped_text(from_->prefix));
  graph_ = as_trained(std::move(graph_), *from_, output_);
  position_ = from_->position;
  check_place(position_, batches_, options_, from_->path.string());
  remember_stopping();
  const std::optional<Inheritance> taken = inherit(*from_, options_, output_);
  if (!taken) return;
  options_.optimiser = taken->optimiser;
  schedule_ = taken->schedule;
  inherited_ = true;
}

// What early stopping remembers is of the metric it watched.
void Fit::remember_stopping() {
  const ir::Value mase(from_->checkpoint.mase);
  const ir::Value* course = mase.find("course");
  const ir::Value* before = course ? course->find("early_stopping") : nullptr;
  const ir::Value* monitor = before && before->is<ir::Dict>() ? before->find("monitor") : nullptr;
  const auto& now = options_.early_stopping;
  if (now && monitor && *monitor == ir::Value(now->monitor)) return;
  position_.stopping_epoch = -1;
  position_.stopping_wait = 0;
  if (now && !course) take_stopping(from_->checkpoint.callbacks, *now, position_);
}

FitResult Fit::run() {
  if (output_.err) *output_.err << "\n" << print_model_summary(graph_) << std::flush;
  if (from_) {
    output_.info(fmt::format("Going on from {}: epoch {}, batch {} of {}, step {}",
                             from_->path.string(), position_.epoch, position_.batch, batches_,
                             position_.step));
    if (!goes_on()) report_nothing_to_do();
  }
  files_->record().write("running");
  try {
    loop();
  } catch (const Error& error) {
    bar_.reset();
    try {
      files_->rescue();
      files_->record().set("error", printable(error.text()));
      files_->record().write("failed");
      files_->metrics().end(false);
    } catch (const Error&) {
      // The disk that made the run fail may well refuse this, too; the first error is the one to
      // report.
    }
    throw;
  }
  return result();
}

void Fit::loop() {
  if (!from_ && goes_on() && !options_.one_batch) sanity_check();
  while (goes_on()) {
    stopped_ = train_epoch();
    if (stopped_ != Stopped::No) break;
    const bool has_validation = data_.validation.rows() > 0;
    if (has_validation && !validate()) {
      stopped_ = Stopped::BySignal;
      break;
    }
    end_epoch(has_validation);
  }
  if (position_.batches > 0) files_->finish(*program_, position_);
  if (stopped_ == Stopped::BySignal) {
    report_interruption();
  } else {
    files_->metrics().end(true);
    report_end();
  }
}

Fit::Stopped Fit::train_epoch() {
  train_loader_.start_epoch(position_.epoch);
  set_rate();
  bar_.emplace(output_.bars, fmt::format("Epoch {}", position_.epoch), batches_,
               Bar::Options{.begin = position_.batch});
  const std::int64_t log_every = options_.log_every_n_steps;
  std::int64_t next_log = log_every > 0 ? (position_.step / log_every + 1) * log_every : kNoLimit;
  engine::Batch batch{.features = &data_.train.features, .labels = &data_.train.labels};
  engine::StepOptions step{.scale = 1.0 / static_cast<double>(options_.accumulate_grad_batches)};
  std::int64_t pending = 0;  // batches whose gradients wait for an update
  while (position_.batch < batches_) {
    const std::int64_t next = position_.batch + 1;
    batch.rows = train_loader_.batch(position_.batch);
    batch.next_rows =
        next < batches_ ? train_loader_.batch(next) : std::span<const std::uint32_t>{};
    step.update = ++pending == options_.accumulate_grad_batches || next == batches_;
    step.step = static_cast<std::uint64_t>(position_.batches);
    const engine::BatchResult last = program_->train_step(batch, step);
    if (!std::isfinite(last.loss) && options_.stop_on_nan) [[unlikely]] {
      stop_on_nonfinite("training", batch.rows, data_.train, engine::Mode::Train);
    }
    position_.train.add(last);
    position_.batch = next;
    ++position_.batches;
    position_.train_loss_step = last.loss;
    position_.train_acc_step = static_cast<double>(last.correct) / static_cast<double>(last.count);
    if (step.update) {
      pending = 0;
      if (++position_.step == next_log) {
        next_log += log_every;
        log_step(last);
      }
      if (schedule_.by_step) set_rate();
      // Whether the epoch is over is decided below: its validation belongs to it.
      if (next < batches_ && position_.step >= max_steps_) return Stopped::AtLimit;
      if (stop_requested()) return Stopped::BySignal;
    }
    bar_->update(position_.batch, [this] { return postfix(); });
  }
  return Stopped::No;
}

void Fit::log_step(const engine::BatchResult& last) {
  files_->metrics().log_step(position_.step - 1, position_.epoch, rate_, last.loss,
                             position_.train_acc_step);
}

void Fit::sanity_check() {
  if (data_.validation.rows() == 0) return;
  const std::int64_t batches = std::min(kSanityBatches, validation_loader_.batches());
  Bar bar(output_.bars, "Sanity Checking DataLoader 0", batches,
          Bar::Options{.keep = false, .quiet = true});
  const Evaluation done =
      evaluate(*program_, data_.validation, validation_loader_, bar, {.limit = batches});
  bar.finish(done.batches);
  if (done.nonfinite >= 0 && options_.stop_on_nan) {
    stop_on_nonfinite("sanity check", validation_loader_.batch(done.nonfinite), data_.validation,
                      engine::Mode::Eval);
  }
}

bool Fit::validate() {
  const std::int64_t batches = options_.one_batch ? 1 : validation_loader_.batches();
  Bar bar(output_.bars, "Validation DataLoader 0", batches,
          Bar::Options{.keep = false, .quiet = true});
  const Evaluation done = evaluate(*program_, data_.validation, validation_loader_, bar,
                                   {.limit = batches, .stoppable = true});
  bar.finish(done.batches);
  if (done.interrupted) return false;
  if (done.nonfinite >= 0 && options_.stop_on_nan) {
    stop_on_nonfinite("validation", validation_loader_.batch(done.nonfinite), data_.validation,
                      engine::Mode::Eval);
  }
  position_.val_loss_epoch = done.metrics.loss.value();
  position_.val_acc_epoch = done.metrics.accuracy();
  return true;
}

void Fit::end_epoch(bool validated) {
  position_.measured_epoch = position_.epoch;
  position_.train_loss_epoch = position_.train.loss.value();
  position_.train_acc_epoch = position_.train.accuracy();
  const bool improved = validated && position_.val_loss_epoch < position_.best_loss;
  if (improved) {
    position_.best_loss = position_.val_loss_epoch;
    position_.best_epoch = position_.epoch;
  }
  if (options_.early_stopping) watch(*options_.early_stopping, position_);
  MetricsLog::Epoch values{.train_loss = position_.train_loss_epoch,
                           .train_acc = position_.train_acc_epoch};
  if (validated) {
    values.val_loss = position_.val_loss_epoch;
    values.val_acc = position_.val_acc_epoch;
  }
  files_->metrics().log_epoch(position_.step - 1, position_.epoch, values);
  if (bar_) bar_->finish(batches_, postfix());
  ++position_.epoch;
  position_.batch = 0;
  position_.train = {};
  files_->end_epoch(*program_, position_, improved);
  if (!options_.on_epoch) return;
  const std::int64_t by_steps = max_steps_ == kNoLimit ? kNoLimit : epochs_of(max_steps_);
  options_.on_epoch({.epoch = position_.epoch,
                     .epochs = std::min(max_epochs_, by_steps),
                     .train_loss = values.train_loss,
                     .train_acc = values.train_acc,
                     .val_loss = values.val_loss,
                     .val_acc = values.val_acc});
}

void Fit::stop_on_nonfinite(const char* stage, std::span<const std::uint32_t> rows,
                            const data::Split& split, engine::Mode mode) {
  const NonFinite origin = find_nonfinite(graph_, *program_, split, rows, mode);
  throw Error(
      ErrorKind::RunFailed,
      fmt::format("the loss is not finite in {}, epoch {}, batch {} (step {}): {}", stage,
                  position_.epoch, position_.batch, position_.step, origin.cause),
      {.node = origin.node},
      fmt::format("try a smaller --learning-rate than {}{}",
                  ir::repr(options_.optimiser.learning_rate),
                  files_->has_checkpoint() || from_ ? "; checkpoints hold the epochs before" : ""));
}

std::string Fit::postfix() const {
  std::string text;
  if (files_->active()) text = fmt::format("v_num={}, ", files_->version());
  text += "train_acc_step=" +
          progress_number(static_cast<double>(static_cast<float>(position_.train_acc_step)));
  if (position_.validated()) {
    text += ", val_acc_epoch=" + progress_number(position_.val_acc_epoch) +
            ", val_loss_epoch=" + progress_number(position_.val_loss_epoch);
  }
  return text;
}

void Fit::report_interruption() {
  bar_.reset();
  files_->record().set("position", to_dict(position_));
  files_->record().write("interrupted");
  const std::string where = fmt::format("Stopped by {} in epoch {} after batch {} of {} (step {})",
                                        stop_signal() == SIGTERM ? "SIGTERM" : "Ctrl-C",
                                        position_.epoch, position_.batch, batches_, position_.step);
  if (!files_->active()) {
    output_.warn(where + "; nothing is saved: the run has no folder");
    return;
  }
  output_.warn(fmt::format("{}; saved as {}", where, files_->last().string()));
  output_.info("Go on with: " + resume_command(output_, files_->resume_argument()));
}

// The run that a checkpoint is of was at its end already, or further than it is to go now.
void Fit::report_nothing_to_do() {
  if (stopped_early()) {
    output_.info("The run had ended, by early stopping: a greater --patience goes on");
    return;
  }
  const bool by_steps = position_.step >= max_steps_;
  const std::int64_t done = by_steps ? position_.step : position_.epoch;
  const std::int64_t wanted = by_steps ? max_steps_ : max_epochs_;
  const char* what = by_steps ? "steps" : "epochs";
  if (done > wanted) {
    output_.warn(
        fmt::format("The run had ended: {} {} are done already, more than the {} asked for", done,
                    what, wanted));
  } else {
    output_.info(fmt::format("The run had ended: all {} {} are done", wanted, what));
  }
}

void Fit::report_end() {
  if (bar_) bar_->finish(position_.batch, postfix());  // an epoch that max_steps cut short
  const bool by_steps = position_.step >= max_steps_;
  if (stopped_early()) {
    output_.info(stopping_text(*options_.early_stopping, position_));
    output_.notice("`Trainer.fit` stopped: `trainer.should_stop` was set.");
  } else {
    output_.notice(fmt::format("`Trainer.fit` stopped: `{}={}` reached.",
                               by_steps ? "max_steps" : "max_epochs",
                               by_steps ? max_steps_ : max_epochs_));
  }
  files_->record().set("position", to_dict(position_));
  files_->record().write("finished");
  if (position_.measured()) {
    std::string text = fmt::format(
        "Epoch {}: train_acc_epoch {:.4f} (its last batch {:.4f}), train_loss_epoch {:.4f}",
        position_.measured_epoch, position_.train_acc_epoch, position_.train_acc_step,
        position_.train_loss_epoch);
    if (position_.validated()) {
      text += fmt::format(", val_acc_epoch {:.4f}, val_loss_epoch {:.4f}", position_.val_acc_epoch,
                          position_.val_loss_epoch);
    }
    output_.info(text);
  }
  if (!files_->active()) return;
  if (!files_->best().empty()) {
    output_.info(fmt::format("Best: val_loss_epoch {:.4f} in epoch {}, {}", position_.best_loss,
                             position_.best_epoch, files_->best().string()));
  } else if (!files_->last().empty()) {
    output_.warn(
        fmt::format("val_loss_epoch was never measured: this run has no best.ckpt, only {}",
                    files_->last().string()));
  }
}

FitResult Fit::result() {
  FitResult out;
  for (const auto& [name, value] : program_->state()) {
    if (ir::Parameter* parameter = graph_.find_parameter(name)) {
      parameter->value = value.to(parameter->value.dtype());
    }
  }
  out.graph = std::move(graph_);
  out.epochs = position_.epoch;
  out.steps = position_.step;
  out.train_loss_step = position_.train_loss_step;
  out.train_acc_step = position_.train_acc_step;
  out.train_acc_epoch = position_.train_acc_epoch;
  out.val_loss_epoch = position_.val_loss_epoch;
  out.val_acc_epoch = position_.val_acc_epoch;
  out.best_checkpoint = files_->best();
  out.last_checkpoint = files_->last();
  out.stopped_early = stopped_early();
  out.interrupted = stopped_ == Stopped::BySignal;
  out.signal = out.interrupted ? stop_signal() : 0;
  return out;
}

}  // namespace

void check_fit(const ir::Graph& graph, const data::DataSet& data, const FitOptions& options) {
  const auto positive = [](std::int64_t value, const char* option) {
    if (value < 1) usage_error(fmt::format("{} must be at least 1, not {}", option, value));
  };
  positive(options.batch_size, "batch_size");
  positive(options.accumulate_grad_batches, "accumulate_grad_batches");
  if (options.log_every_n_steps < 0) usage_error("log_every_n_steps must not be negative");
  if (options.max_epochs < 0) usage_error("max_epochs must not be negative");
  if (options.max_steps < -1) usage_error("max_steps must be -1 (no limit) or a number of steps");
  if (const auto& stopping = options.early_stopping) {
    if (stopping->patience < 0) usage_error("the patience of early stopping must not be negative");
    if (needs_validation(stopping->monitor) && data.validation.rows() == 0) {
      usage_error(
          fmt::format("early stopping watches {}, but data set '{}' has no rows for "
                      "validation",
                      stopping->monitor, data.info.name));
    }
  }
  const std::int64_t rows = data.train.rows();
  if (rows == 0) usage_error(fmt::format("data set '{}' has no rows to train on", data.info.name));
  // One row has no variance: the running variance would become NaN.
  const bool single = options.batch_size == 1 || rows % options.batch_size == 1;
  if (!single || options.one_batch) return;
  for (const ir::Node& node : graph) {
    if (node.op != "batch_norm1d") continue;
    throw Error(ErrorKind::RunFailed,
                fmt::format("a batch of a single row cannot be normalised: {} rows leave one over "
                            "in batches of {}",
                            rows, options.batch_size),
                {.node = node.name}, "choose another --batch-size");
  }
}

FitResult fit(ir::Graph graph, const data::DataSet& data, const engine::Engine& engine,
              const FitOptions& options, const Output& output) {
  check_fit(graph, data, options);
  std::optional<StopSignals> signals;
  if (options.catch_signals) signals.emplace();
  return Fit(std::move(graph), data, engine, options, output).run();
}

}  // namespace mase::train
