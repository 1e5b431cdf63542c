// Where the files of a run lie, and its run.json.
#include "mase/train/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <vector>

#include "mase/ir/value.h"
#include "mase/support/error.h"
#include "mase/support/files.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "version_";
constexpr std::array kCheckpoints{"best.ckpt", "last.ckpt"};

std::optional<std::int64_t> version_number(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::int64_t number = -1;
  const char* end = name.data() + name.size();
  const auto [rest, code] = std::from_chars(name.data() + kPrefix.size(), end, number);
  if (code != std::errc{} || rest != end || number < 0) return std::nullopt;
  return number;
}

// The highest number of the folders version_N in it, -1 if there is none.
std::int64_t highest_in(const fs::path& folder) {
  std::int64_t highest = -1;
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (const auto number = version_number(it->path().filename())) {
      highest = std::max(highest, *number);
    }
  }
  return highest;
}

// When the run whose checkpoints lie here wrote one.
fs::file_time_type last_written(const fs::path& folder) {
  fs::file_time_type latest = fs::file_time_type::min();
  for (const char* name : kCheckpoints) {
    std::error_code code;
    const fs::file_time_type time = fs::last_write_time(folder / name, code);
    if (!code) latest = std::max(latest, time);
  }
  return latest;
}

std::string now() {
  const auto time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

std::string host() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace

fs::path logs_folder(const fs::path& project) {
  return project / "software" / "tensorboard" / "lightning_logs";
}

fs::path checkpoints_folder(const fs::path& project) {
  return project / "software" / "training_ckpts";
}

fs::path version_folder(const fs::path& project, std::int64_t version) {
  return logs_folder(project) / fmt::format("{}{}", kPrefix, version);
}

fs::path run_checkpoints_folder(const fs::path& project, std::int64_t version) {
  return checkpoints_folder(project) / fmt::format("{}{}", kPrefix, version);
}

std::int64_t newest_version(const fs::path& project) {
  return highest_in(logs_folder(project));
}

std::int64_t version_of(const io::Checkpoint& checkpoint) {
  const ir::Value mase(checkpoint.mase);
  const ir::Value* version = mase.find("version");
  return version && version->is<std::int64_t>() ? version->as_int() : -1;
}

std::int64_t version_of(const fs::path& checkpoint) {
  const Result<io::Checkpoint> read = io::read_checkpoint(checkpoint);
  return read.ok() ? version_of(*read) : -1;
}

fs::path newest_checkpoint(const fs::path& project, const std::string& name) {
  const fs::path top = checkpoints_folder(project);
  std::vector<fs::path> folders{top};
  std::error_code code;
  for (fs::directory_iterator it(top, code), end; !code && it != end; it.increment(code)) {
    if (version_number(it->path().filename())) folders.push_back(it->path());
  }
  fs::path newest;
  fs::file_time_type when = fs::file_time_type::min();
  for (const fs::path& folder : folders) {
    const fs::file_time_type time = last_written(folder);
    if (time <= when) continue;
    newest = folder / name;
    when = time;
  }
  return !newest.empty() && fs::is_regular_file(newest, code) ? newest : fs::path{};
}

std::int64_t create_version(const fs::path& project) {
  create_folder(logs_folder(project));
  // Checkpoints outlive a removed folder of logs: their run's number is not given again.
  const fs::path checkpoints = checkpoints_folder(project);
  std::int64_t next = std::max(newest_version(project), highest_in(checkpoints));
  for (const char* name : kCheckpoints) next = std::max(next, version_of(checkpoints / name));
  if (next == std::numeric_limits<std::int64_t>::max()) next = -1;
  std::error_code code;
  // create_directory says whether it was we who made it.
  while (!fs::create_directory(version_folder(project, ++next), code)) {
    if (code) {
      throw Error(ErrorKind::RunFailed, "cannot create the folder: " + system_reason(code.value()),
                  {.file = version_folder(project, next).string()});
    }
  }
  return next;
}

RunRecord::RunRecord(const fs::path& folder, const Output& output) : file_(folder / "run.json") {
  ir::List command;
  for (const std::string& word : output.command) command.emplace_back(word);
  set("command", std::move(command));
  set("mase", MASE_VERSION);
  set("host", host());
  set("started", now());
  set("options", output.hyper_parameters);
}

void RunRecord::set(std::string_view key, ir::Value value) {
  for (auto& [name, old] : record_) {
    if (name != key) continue;
    old = std::move(value);
    return;
  }
  record_.emplace_back(key, std::move(value));
}

void RunRecord::describe(const ir::Graph& graph, const data::DataSet& data,
                         const engine::Engine& engine) {
  set("engine", ir::Dict{{"name", engine.name()}, {"version", engine.version()}});
  set("model", ir::Dict{{"name", graph.name},
                        {"class", graph.class_name},
                        {"parameters", graph.parameter_count()}});
  set("data", ir::Dict{{"name", data.info.name},
                       {"source", data.source},
                       {"sha256", data.hash},
                       {"train_rows", data.train.rows()},
                       {"validation_rows", data.validation.rows()},
                       {"test_rows", data.test.rows()}});
}

void RunRecord::write(std::string_view status) {
  if (file_.empty()) return;
  set("status", status);
  set("written", now());
  write_file(file_, ir::json_text(ir::to_json(ir::Value(record_)), 2) + "\n");
}

}  // namespace mase::train
