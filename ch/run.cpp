// The beginning of a run, in the order and words of MASE.
#include "ch/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>

#include "ch/options/argument_table.h"
#include "mase/models/model.h"
#include "mase/passes/interface/mase_graph.h"
#include "mase/support/error.h"
#include "mase/support/files.h"

namespace ch {

namespace fs = std::filesystem;
namespace engine = mase::engine;
using mase::LogLevel;

namespace {

LogLevel log_level(const Settings& settings) {
  LogLevel level = LogLevel::Info;
  if (settings.flag("to_debug")) return LogLevel::Debug;
  mase::parse_log_level(settings.text("log_level"), level);
  return level;
}

// Names of folders: a path given as a model or data set counts with its stem.
std::string name_part(const std::string& text) {
  const bool path_like = text.find('/') != std::string::npos || fs::path(text).has_extension();
  std::error_code error;
  if (path_like && fs::is_regular_file(text, error)) return fs::path(text).stem().string();
  std::string part = text;
  std::replace(part.begin(), part.end(), '/', '-');
  return part;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:04}-{:02}-{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

// The newest dated project with this stem that has checkpoints: a run may be resumed on another day
// than it was begun. Empty if there is none.
std::string latest_project(const fs::path& projects, const std::string& stem) {
  std::string latest;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(projects, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(stem) || name.size() != stem.size() + today().size()) continue;
    if (name > latest && fs::exists(entry.path() / "software" / "training_ckpts", error)) {
      latest = name;
    }
  }
  return latest;
}

}  // namespace

std::string project_name(const Settings& settings) {
  if (settings.has("project")) return settings.text("project");
  const std::string stem = fmt::format("{}_{}_{}_", name_part(settings.text("model")),
                                       settings.text("task"), name_part(settings.text("dataset")));
  if (settings.has("resume")) {
    const std::string latest = latest_project(settings.text("project_dir"), stem);
    if (!latest.empty()) return latest;
  }
  return stem + today();
}

Run::Run(const Invocation& invocation)
    : invocation(invocation), settings(invocation.settings), log(stderr, invocation.colour()) {
  log.set_level(log_level(settings));
  log.show_warnings(!settings.flag("no_warnings"));
  fmt::print(stderr, "Seed set to {}\n", settings.integer("seed"));
  // Results for machines go to standard output alone.
  const bool aside = json();
  const bool colour =
      mase::inspect_terminal(aside ? STDERR_FILENO : STDOUT_FILENO, invocation.colour()).colour;
  (aside ? std::cerr : std::cout) << argument_table(settings, colour, invocation.action->bit)
                                  << std::endl;
  for (const std::string& warning : settings.warnings()) warn(warning);
}

void Run::open() {
  if (!settings.has("model") || !settings.has("dataset")) {
    mase::usage_error("No model and/or dataset provided! These are required.", {},
                      fmt::format("ch {} MODEL DATASET, or model and dataset in the configuration",
                                  invocation.action->name));
  }
  phases.start("build the model");
  log.info(fmt::format("Initialising model '{}'...", model_name()));
  const mase::data::Info info = mase::data::info(settings.text("dataset"));
  graph = mase::models::build(model_name(), info,
                              {.seed = static_cast<std::uint64_t>(settings.integer("seed")),
                               .model_dir = settings.text_or("model_dir", "")});
  open_data();
  choose_folder();
}

void Run::open_data() {
  phases.start("open the data");
  log.info(fmt::format("Initialising dataset '{}'...", settings.text("dataset")));
  data = mase::data::open(settings.text("dataset"),
                          {.data_dir = settings.text_or("data_dir", ""),
                           .val_fraction = settings.number("val_fraction"),
                           .seed = static_cast<std::uint64_t>(settings.integer("seed")),
                           .use_cache = !settings.flag("disable_dataset_cache"),
                           .info = [this](std::string_view text) { log.info(text); }});
  phases.stop();
}

void Run::choose_folder() {
  folder = fs::absolute(fs::path(settings.text("project_dir")) / project_name(settings))
               .lexically_normal();
  if (dry_run()) return;
  mase::create_folder(folder / "hardware");
  mase::create_folder(folder / "software");
  log.info(fmt::format("Project will be created at {}", folder.string()));
}

fs::path Run::software(std::string_view sub) const {
  return sub.empty() ? folder / "software" : folder / "software" / sub;
}

engine::ProgramOptions Run::program_options() {
  const std::string& wanted = settings.text("trainer_precision");
  engine::ProgramOptions options;
  options.threads = static_cast<int>(std::max<std::int64_t>(1, settings.integer("num_workers")));
  options.seed = static_cast<std::uint64_t>(settings.integer("seed"));
  if (wanted == "64") options.precision = engine::Precision::Float64;
  if (wanted == "bf16") options.precision = engine::Precision::BFloat16Mixed;
  if (wanted == "16-mixed" && !said_precision_) {
    said_precision_ = true;
    log.info("Precision 16-mixed is for GPUs: computing in float32 on the CPU");
  }
  return options;
}

const engine::Engine& Run::engine(const mase::ir::Graph& graph,
                                  const engine::ProgramOptions& options) {
  const engine::Choice choice = engine::choose(graph, settings.text("engine"), options);
  if (!choice.reason.empty()) log.info(choice.reason);
  log.debug(fmt::format("Engine: {}", choice.engine->version()));
  return *choice.engine;
}

mase::train::Output Run::output() const {
  mase::train::Output output;
  output.folder = folder;
  output.out = json() ? nullptr : &std::cout;
  output.err = &std::cerr;
  output.bars = stderr;
  output.log = &log;
  output.width = mase::inspect_terminal(STDOUT_FILENO, invocation.colour()).width;
  output.hyper_parameters = settings.values();
  output.hyper_parameters.emplace_back("action", invocation.action->name);
  output.hyper_parameters.emplace_back("config", settings.value("config"));
  std::sort(output.hyper_parameters.begin(), output.hyper_parameters.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  output.command = invocation.command;
  return output;
}

void Run::save_graph(const mase::ir::Graph& graph, const fs::path& folder) const {
  mase::passes::save_mase_graph(graph, folder);
  log.info(fmt::format("Saved mase graph to {}", folder.string()));
}

void Run::complete(std::string_view what) {
  phases.stop();
  log.info(fmt::format("{} is completed", what));
  if (settings.flag("profile")) fmt::print(stderr, "{}\n", phases.report());
}

}  // namespace ch
