// The beginning of a run, in the order and words of MASE.
#include "ch/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>

#include "ch/options/argument_table.h"
#include "ch/setup.h"
#include "mase/passes/interface/mase_graph.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/support/paths.h"
#include "mase/support/terminal.h"

namespace ch {

namespace fs = std::filesystem;
namespace engine = mase::engine;

namespace {

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

// The newest dated project with this stem that has `inside`: work may be gone on with on another
// day than it was begun. Empty if there is none.
std::string latest_project(const fs::path& projects, const std::string& stem,
                           const fs::path& inside) {
  std::string latest;
  for (const fs::path& entry : mase::folder_entries(projects)) {
    const std::string name = entry.filename().string();
    if (!name.starts_with(stem) || name.size() != stem.size() + today().size()) continue;
    if (name > latest && mase::path_exists(entry / inside)) latest = name;
  }
  return latest;
}

// "jsc-tiny", "jsc-tiny+jsc-toy", "12-values": what a setting may be in the runs of an invocation.
std::string names_part(const Invocation& invocation, std::string_view dest) {
  constexpr std::size_t kMostNames = 3;
  std::vector<std::string> names;
  const auto add = [&](const Settings& settings) {
    for (const mase::ir::Value& value : settings.values_of(dest)) {
      const std::string name = name_part(value.as_text());
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  };
  if (invocation.sweep.runs.empty()) add(invocation.settings);
  for (const Settings& run : invocation.sweep.runs) add(run);
  if (names.size() > kMostNames) return fmt::format("{}-{}s", names.size(), dest);
  return fmt::format("{}", fmt::join(names, "+"));
}

}  // namespace

std::string project_name(const Invocation& invocation) {
  const Settings& settings = invocation.settings;
  if (settings.has("project")) return settings.text("project");
  const std::string stem = fmt::format("{}_{}_{}_", names_part(invocation, "model"),
                                       settings.text("task"), names_part(invocation, "dataset"));
  std::string latest;
  if (settings.has("resume")) {
    latest = latest_project(settings.text("project_dir"), stem, "software/training_ckpts");
  } else if (invocation.action->takes_lists) {
    latest = latest_project(settings.text("project_dir"), stem, "sweep");
  }
  return latest.empty() ? stem + today() : latest;
}

fs::path project_folder(const Invocation& invocation) {
  return mase::absolute_path(fs::path(invocation.settings.text("project_dir")) /
                             project_name(invocation));
}

Run::Run(const Invocation& invocation)
    : invocation(invocation), settings(invocation.settings), log(stderr, invocation.colour()) {
  log.set_level(log_level(settings));
  log.show_warnings(!settings.flag("no_warnings"));
  if (!invocation.action->takes_lists) {
    mase::print_error_line(fmt::format("Seed set to {}", settings.integer("seed")));
  }
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
  graph = build_model(settings);
  open_data();
  choose_folder();
}

void Run::open_data() {
  phases.start("open the data");
  log.info(fmt::format("Initialising dataset '{}'...", settings.text("dataset")));
  data = ch::open_data(
      settings, [this](mase::LogLevel level, std::string_view text) { log.write(level, text); });
  phases.stop();
}

void Run::choose_folder() {
  folder = project_folder(invocation);
  if (dry_run()) return;
  mase::create_folder(folder / "software");
  log.info(fmt::format("Project will be created at {}", folder.string()));
}

fs::path Run::software(std::string_view sub) const {
  return sub.empty() ? folder / "software" : folder / "software" / sub;
}

engine::ProgramOptions Run::program_options() {
  if (settings.text("trainer_precision") == "16-mixed" && !said_precision_) {
    said_precision_ = true;
    log.info("Precision 16-mixed is for GPUs: computing in float32 on the CPU");
  }
  return ch::program_options(settings);
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
  output.hyper_parameters = hyper_parameters(settings, invocation.action->name);
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
  if (settings.flag("profile")) (json() ? std::cerr : std::cout) << phases.report() << std::endl;
}

}  // namespace ch
