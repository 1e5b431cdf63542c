// Which files a run writes, and when.
#include "mase/train/run_files.h"

#include <fmt/format.h>

#include <system_error>

#include "mase/io/graph/quantisation.h"
#include "mase/support/error.h"
#include "mase/train/optimiser.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;

// Whether a state of the same run is there that is further than the one to go on from.
bool is_behind(const Resumption& from, const fs::path& folder) {
  const Result<io::Checkpoint> other = io::read_checkpoint(folder / "last.ckpt");
  return other.ok() && version_of(*other) == from.version &&
         other->global_step > from.checkpoint.global_step;
}

// The run goes on in its own version folder, unless it goes back behind what that run has reached
// (a best.ckpt, say), or somebody else goes on with it: then it is a new run that shares a
// beginning. `lock` holds its number then.
bool goes_on_in_place(const Resumption& from, const fs::path& project, RunLock& lock,
                      const Output& output) {
  std::error_code code;
  if (from.version < 0 || !fs::exists(version_folder(project, from.version), code)) return false;
  const fs::path inside = fs::relative(from.path, checkpoints_folder(project), code);
  if (code || inside.empty() || inside.native().starts_with("..")) return false;
  if (!lock.take_run(from.version)) {
    output.warn(fmt::format("run {} is still at work: this is a new run that shares its beginning",
                            from.version));
    return false;
  }
  if (is_behind(from, checkpoints_folder(project)) ||
      is_behind(from, run_checkpoints_folder(project, from.version))) {
    lock.leave_run();
    return false;
  }
  return true;
}

void copy_beginning(const Resumption& from, const fs::path& project, const fs::path& to) {
  if (from.version < 0) return;
  for (const auto& [name, bytes] : from.files) {
    std::error_code code;
    fs::copy_file(version_folder(project, from.version) / name, to / name, code);
  }
}

}  // namespace

RunFiles::RunFiles(const FitOptions& options, const Output& output, const Resumption* from)
    : options_(options), output_(output) {
  facts_.options = &options_;
  if (output.folder.empty() || options.one_batch) return;
  lock_.emplace(output.folder);
  const bool in_place = from && goes_on_in_place(*from, output.folder, *lock_, output);
  version_ = in_place ? from->version : create_version(output.folder);
  if (!in_place) lock_->take_run(version_);
  const fs::path folder = version_folder(output.folder, version_);
  if (from && !in_place) copy_beginning(*from, output.folder, folder);
  facts_.version = version_;
  checkpoints_ = std::make_unique<CheckpointFiles>(output.folder, version_, *lock_, output_);
  // A run that had a best one has it still: claimed with the first write.
  has_best_ = in_place && from->position.validated();
  metrics_ = MetricsLog(folder, learning_rate_tag(options.optimiser.kind), output.hyper_parameters,
                        from ? from->files : ir::Dict{});
  record_ = RunRecord(folder, output);
  if (from) record_.set("resumed_from", from->path.string());
}

void RunFiles::describe(const ir::Graph& graph, const data::DataSet& data,
                        const engine::Engine& engine, const Schedule& schedule, bool inherited) {
  facts_.schedule = schedule;
  facts_.inherited = inherited;
  facts_.train_rows = data.train.rows();
  facts_.data_hash = data.hash;
  facts_.engine = std::string(engine.name());
  facts_.quantisation = io::quantisation_of(graph);
  facts_.instruction_set = engine.instruction_set({.deterministic = options_.deterministic});
  record_.describe(graph, data, engine);
  record_.set("course", course_of(facts_));
}

io::Checkpoint RunFiles::snapshot(const engine::Program& program, const Position& position) {
  facts_.best = checkpoints_->best();
  facts_.last = checkpoints_->last();
  return make_snapshot(program, position, facts_, metrics_.files());
}

fs::path RunFiles::best() const {
  return has_best_ ? checkpoints_->best() : fs::path{};
}

fs::path RunFiles::last() const {
  return has_last_ ? checkpoints_->last() : fs::path{};
}

std::string RunFiles::resume_argument() const {
  return checkpoints_->resume_argument();
}

void RunFiles::rescue() {
  if (!pending_best_) return;
  checkpoints_->write_best(*pending_best_);
  pending_best_.reset();
  has_best_ = true;
}

void RunFiles::write(const io::Checkpoint& last) {
  // best before last: a run killed in between finds the same best again when it goes on.
  rescue();
  checkpoints_->write_last(last);
  has_last_ = true;
  written_ = std::chrono::steady_clock::now();
}

void RunFiles::flush_metrics() {
  try {
    metrics_.flush();
  } catch (const Error& error) {
    throw Error(error.kind(), "the metrics: " + error.message(), error.where(),
                checkpoints_->kept());
  }
}

void RunFiles::end_epoch(const engine::Program& program, const Position& position, bool improved) {
  if (!active()) return;
  flush_metrics();
  const double since =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - written_).count();
  const bool due = since >= options_.seconds_between_checkpoints;
  if (!due && !improved) return;
  io::Checkpoint now = snapshot(program, position);
  if (improved) pending_best_ = now;
  if (!due) return;
  write(now);
  saved_batches_ = position.batches;
}

void RunFiles::finish(const engine::Program& program, const Position& position) {
  if (!active()) return;
  flush_metrics();
  const bool saved = has_last_ && saved_batches_ == position.batches && !pending_best_;
  if (!saved) write(snapshot(program, position));
}

}  // namespace mase::train
