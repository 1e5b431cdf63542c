// What a sweep remembers between two processes.
#include "mase/train/sweep/state.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "mase/ir/value.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/support/paths.h"
#include "mase/train/sweep/metrics_table.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int kStateFormat = 1;
constexpr const char* kFile = "state.json";
constexpr int kDeepest = 64;

RunStatus status_of(std::string_view text) {
  for (const RunStatus status : {RunStatus::Finished, RunStatus::Failed, RunStatus::Interrupted}) {
    if (name(status) == text) return status;
  }
  return RunStatus::Waiting;
}

ordered_json to_json(const RunOutcome& run, const fs::path& folder) {
  ordered_json out{{"status", name(run.status)},
                   {"reason", run.reason},
                   {"folder", run.folder.lexically_relative(folder).string()},
                   {"settings", ir::to_json(ir::Value(run.settings))},
                   {"engine", run.engine},
                   {"parameters", run.parameters},
                   {"epochs", run.epochs},
                   {"steps", run.steps},
                   {"seconds", run.seconds}};
  for (const MeasuredRow& row : kMeasured) {
    const double value = run.measured.*row.value;
    if (std::isfinite(value)) out["measured"][std::string(row.name)] = value;
  }
  return out;
}

// What parses and yet is no state.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What follows goes down into a value by recursion.
bool check_depth(int depth, ordered_json::parse_event_t, const ordered_json&) {
  if (depth > kDeepest) throw Malformed("it is nested too deeply");
  return true;
}

// A run's folder lies in that of the sweep, whatever the file says.
fs::path inside(const fs::path& folder) {
  const fs::path normal = folder.lexically_normal();
  const bool outside = normal.is_absolute() || normal.native().starts_with("..");
  if (outside) throw Malformed("a run has a folder outside of the sweep's");
  return normal;
}

RunOutcome from_json(const std::string& key, const ordered_json& json, const fs::path& folder) {
  RunOutcome run;
  run.key = key;
  run.status = status_of(json.at("status").get<std::string>());
  run.reason = json.at("reason").get<std::string>();
  run.folder = folder / inside(json.at("folder").get<std::string>());
  const ir::Value settings = ir::from_json(json.at("settings"));
  if (!settings.is<ir::Dict>()) throw Malformed("the settings of a run are no table");
  run.settings = settings.as_dict();
  run.engine = json.at("engine").get<std::string>();
  run.parameters = json.at("parameters").get<std::int64_t>();
  run.epochs = json.at("epochs").get<std::int64_t>();
  run.steps = json.at("steps").get<std::int64_t>();
  run.seconds = json.at("seconds").get<double>();
  const ordered_json measured = json.value("measured", ordered_json::object());
  for (const MeasuredRow& row : kMeasured) {
    run.measured.*row.value = measured.value(std::string(row.name), kNotMeasured);
  }
  return run;
}

}  // namespace

SweepState::SweepState(fs::path folder) : folder_(std::move(folder)) {
  const fs::path file = folder_ / kFile;
  if (!path_exists(file)) return;
  const std::string text = read_file(file).or_throw();
  const auto fail = [&](const char* why) {
    throw Error(ErrorKind::Unreadable, fmt::format("this is not the state of a sweep: {}", why),
                {.file = file.string()}, "remove it to run everything anew");
  };
  try {
    const ordered_json json = ordered_json::parse(text, check_depth);
    if (json.at("format").get<int>() != kStateFormat) {
      throw Error(ErrorKind::Unreadable, "written by another version of this program",
                  {.file = file.string()}, "give the sweep another --project");
    }
    for (const auto& [key, run] : json.at("runs").items()) {
      runs_[key] = from_json(key, run, folder_);
    }
  } catch (const ordered_json::exception& problem) {
    fail(problem.what());
  } catch (const Malformed& problem) {
    fail(problem.what());
  }
}

const RunOutcome* SweepState::find(const std::string& key) const {
  const auto found = runs_.find(key);
  return found == runs_.end() ? nullptr : &found->second;
}

void SweepState::put(const RunOutcome& outcome) {
  runs_[outcome.key] = outcome;
  pending_ = true;
  if (std::chrono::steady_clock::now() >= next_write_) write();
}

void SweepState::flush() {
  if (pending_) write();
}

void SweepState::write() {
  const auto start = std::chrono::steady_clock::now();
  ordered_json json{
      {"format", kStateFormat}, {"mase", MASE_VERSION}, {"runs", ordered_json::object()}};
  for (const auto& [key, run] : runs_) json["runs"][key] = to_json(run, folder_);
  write_file(folder_ / kFile, ir::json_text(json, 1) + "\n");
  pending_ = false;
  const auto end = std::chrono::steady_clock::now();
  next_write_ = end + 10 * (end - start);
}

FolderLock::FolderLock(const fs::path& folder) : file_(folder / "lock") {
  // On a file system without locks, two sweeps are the user's to avoid.
  if (file_.try_lock(0) != LockFile::Taken::Busy) {
    file_.sign(this_process());
    return;
  }
  const std::string holder = file_.signature();
  throw Error(
      ErrorKind::RunFailed,
      fmt::format("another sweep is at work in this folder{}", holder.empty() ? "" : ": " + holder),
      {.file = folder.string()}, "wait for its end, or give this one another --project");
}

}  // namespace mase::train
