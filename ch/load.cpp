// --load: what kind of file it is, and how its content gets into the network.
#include "ch/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mase/io/checkpoint.h"
#include "mase/passes/interface/mase_graph.h"
#include "mase/support/error.h"
#include "mase/train/run_folder.h"

namespace ch {

namespace fs = std::filesystem;
using mase::io::CheckpointKind;

namespace {

// What a folder may hold, the one to take first.
constexpr std::array<std::string_view, 5> kInFolder = {"graph_module.mz", "best.ckpt", "last.ckpt",
                                                       "training_ckpts/best.ckpt",
                                                       "software/training_ckpts/best.ckpt"};

fs::path file_of(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  for (const std::string_view name : kInFolder) {
    if (fs::is_regular_file(path / name)) return path / name;
  }
  throw mase::Error(mase::ErrorKind::Unreadable, "no checkpoint in this folder",
                    {.file = path.string()},
                    fmt::format("looked for {}", fmt::join(kInFolder, ", ")));
}

std::string type_of(const fs::path& path) {
  switch (mase::io::detect_checkpoint(path).or_throw()) {
    case CheckpointKind::Lightning:
      return "pl";
    case CheckpointKind::StateDict:
    case CheckpointKind::SafeTensors:
      return "pt";
    case CheckpointKind::MaseGraph:
      return "mz";
    case CheckpointKind::PickledMz:
      break;
  }
  throw mase::Error(
      mase::ErrorKind::Unsupported,
      "this .mz is a pickled program of the original MASE, which only running its code could read",
      {.file = path.string()},
      "take the state_dict.pt beside it: --load state_dict.pt --load-type pt, and repeat the "
      "passes with ch transform");
}

std::string_view called(std::string_view type) {
  if (type == "pl") return "pytorch lightning";
  return type == "pt" ? "pytorch" : "mase";
}

// The newest best.ckpt below the folder of all projects; empty if there is none.
fs::path latest_checkpoint(const fs::path& projects) {
  fs::path latest;
  fs::file_time_type when = fs::file_time_type::min();
  std::error_code error;
  for (const fs::directory_entry& project : fs::directory_iterator(projects, error)) {
    const fs::path path = mase::train::newest_checkpoint(project.path(), "best.ckpt");
    const fs::file_time_type time = fs::last_write_time(path, error);
    if (error || time <= when) continue;
    latest = path;
    when = time;
  }
  return latest;
}

}  // namespace

std::optional<Checkpoint> find_checkpoint(const Settings& settings) {
  if (!settings.has("load_name")) return std::nullopt;
  Checkpoint checkpoint;
  checkpoint.path = file_of(settings.text("load_name"));
  checkpoint.type = type_of(checkpoint.path);
  if (settings.has("load_type") && settings.text("load_type") != checkpoint.type) {
    mase::usage_error(
        fmt::format("--load-type {} was asked for, but this is a {} checkpoint (type {})",
                    settings.text("load_type"), called(checkpoint.type), checkpoint.type),
        {.file = checkpoint.path.string()}, "leave out --load-type: the type is found out");
  }
  return checkpoint;
}

mase::io::LoadReport load_into(const Checkpoint& checkpoint, bool partial, mase::ir::Graph& graph) {
  if (checkpoint.type != "mz") {
    return mase::io::load_parameters(checkpoint.path, graph, partial);
  }
  graph = mase::passes::load_mase_graph(checkpoint.path);
  return {};
}

mase::io::LoadReport load_checkpoint(const Checkpoint& checkpoint, Run& run) {
  run.phases.start("load the checkpoint");
  const std::string name = run.graph.name;
  mase::io::LoadReport report = load_into(checkpoint, run.settings.flag("partial_load"), run.graph);
  if (run.graph.name != name) {
    run.warn(fmt::format("{} holds the network '{}', which takes the place of '{}'",
                         checkpoint.path.string(), run.graph.name, name));
  }
  const bool safetensors = report.kind == CheckpointKind::SafeTensors;
  run.info(fmt::format("Loaded {} checkpoint from {}",
                       safetensors ? "safetensors" : called(checkpoint.type),
                       checkpoint.path.string()));
  for (const std::string& note : report.notes) run.info(note);
  if (checkpoint.type != "mz" && !report.exact()) run.warn("\n" + report.text());
  run.phases.stop();
  return report;
}

Checkpoint required_checkpoint(const Run& run) {
  if (auto checkpoint = find_checkpoint(run.settings)) return *checkpoint;
  const fs::path latest = latest_checkpoint(run.settings.text("project_dir"));
  mase::usage_error("expected checkpoint via --load, got None", {},
                    latest.empty()
                        ? "ch train writes one"
                        : fmt::format("the latest is --load {}", fs::proximate(latest).string()));
}

}  // namespace ch
