// Where the files of a run lie, and its run.json.
#include "mase/train/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "mase/support/error.h"
#include "mase/support/files.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "version_";

std::optional<std::int64_t> version_number(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::int64_t number = -1;
  const char* end = name.data() + name.size();
  const auto [rest, code] = std::from_chars(name.data() + kPrefix.size(), end, number);
  if (code != std::errc{} || rest != end || number < 0) return std::nullopt;
  return number;
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

std::int64_t newest_version(const fs::path& project) {
  std::int64_t newest = -1;
  std::error_code code;
  for (fs::directory_iterator it(logs_folder(project), code), end; !code && it != end;
       it.increment(code)) {
    if (const auto number = version_number(it->path().filename())) {
      newest = std::max(newest, *number);
    }
  }
  return newest;
}

std::int64_t create_version(const fs::path& project) {
  create_folder(logs_folder(project));
  std::int64_t next = newest_version(project) + 1;
  std::error_code code;
  // create_directory says whether it was we who made it.
  while (!fs::create_directory(version_folder(project, next), code)) {
    if (code) {
      throw Error(ErrorKind::RunFailed, "cannot create the folder: " + code.message(),
                  {.file = version_folder(project, next).string()});
    }
    ++next;
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
  write_file(file_, ir::to_json(ir::Value(record_)).dump(2) + "\n");
}

}  // namespace mase::train
