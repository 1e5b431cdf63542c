// --load: what kind of file it is, and how its content gets into the network.
#include "ch/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "mase/io/graph/mz.h"
#include "mase/io/graph/quantisation.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/ir/format_state.h"
#include "mase/passes/interface/mase_graph.h"
#include "mase/support/error.h"
#include "mase/support/paths.h"
#include "mase/train/run_folder.h"

namespace ch {

namespace fs = std::filesystem;
using mase::io::CheckpointKind;

namespace {

// What a folder of ours may hold, the one to take first.
constexpr std::array<std::string_view, 5> kInFolder = {"graph_module.mz", "best.ckpt", "last.ckpt",
                                                       "training_ckpts/best.ckpt",
                                                       "software/training_ckpts/best.ckpt"};
// Where Lightning puts its checkpoints below the folder of a run.
constexpr std::string_view kLightningFolder = "checkpoints";

[[noreturn]] void no_checkpoint(std::string message, const fs::path& folder, std::string hint) {
  throw mase::Error(mase::ErrorKind::Unreadable, std::move(message), {.file = folder.string()},
                    std::move(hint));
}

// The .ckpt files of a folder, sorted; those of its `checkpoints` if it has none itself.
std::vector<std::string> checkpoints_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::path& sub : {fs::path(), fs::path(kLightningFolder)}) {
    fs::directory_iterator entry(folder / sub, error);
    if (error && sub.empty()) {
      no_checkpoint(fmt::format("the folder cannot be read: {}", error.message()), folder, {});
    }
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      if (entry->path().extension() != ".ckpt") continue;
      names.push_back((sub / entry->path().filename()).string());
    }
    if (!names.empty()) break;
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The names made by ch and MASE, else the only checkpoint there is, whatever it is called.
fs::path file_of(const fs::path& path) {
  constexpr std::size_t kMostNamed = 8;
  std::error_code error;
  if (!fs::is_directory(path, error)) return path;
  for (const std::string_view name : kInFolder) {
    if (fs::is_regular_file(path / name, error)) return path / name;
  }
  std::vector<std::string> there = checkpoints_in(path);
  if (there.size() == 1) return path / there.front();
  if (there.empty()) {
    no_checkpoint("no checkpoint in this folder", path,
                  fmt::format("looked for {} and *.ckpt", fmt::join(kInFolder, ", ")));
  }
  const std::size_t count = there.size();
  if (count > kMostNamed) {
    there.resize(kMostNamed);
    there.emplace_back("...");
  }
  no_checkpoint(fmt::format("{} checkpoints are in this folder, none of them is best.ckpt or "
                            "last.ckpt",
                            count),
                path, fmt::format("name one: {}", fmt::join(there, ", ")));
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

// The newest best.ckpt of this network below the folder of all projects; empty if there is none.
fs::path latest_checkpoint(const fs::path& projects, const mase::ir::Graph& graph) {
  constexpr std::size_t kMostRead = 100;
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code error;
  for (const fs::path& project : mase::folder_entries(projects)) {
    const fs::path path = mase::train::newest_checkpoint(project, "best.ckpt");
    const fs::file_time_type time = fs::last_write_time(path, error);
    if (!error) found.emplace_back(time, path);
  }
  std::sort(found.begin(), found.end(), std::greater<>());
  if (found.size() > kMostRead) found.resize(kMostRead);
  for (const auto& [time, path] : found) {
    if (mase::io::is_checkpoint_of(graph, path)) return path;
  }
  return {};
}

// The weights of a transformed graph alone.
mase::io::LoadReport load_weights(const mase::ir::Graph& from, const fs::path& path, bool partial,
                                  mase::ir::Graph& graph) {
  mase::ir::Graph loaded = graph;
  mase::io::LoadReport report =
      mase::io::match_parameters({.state = mase::ir::float_state(from)}, loaded);
  if (!report.exact() && !partial) {
    mase::usage_error(
        fmt::format("the weights do not fit the network '{}'\n{}", graph.name, report.text()),
        {.file = path.string()});
  }
  graph = std::move(loaded);
  return report;
}

// A warning that figures are those of weights nobody trained; an error with --strict.
void tell_random_weights(const std::string& why, std::string_view effect, const Run& run) {
  if (run.settings.flag("strict")) mase::usage_error(why, {}, "refused by --strict");
  run.warn(fmt::format("RANDOM WEIGHTS: {}; {}", why, effect));
}

// The same where a part of the weights is the checkpoint's.
void tell_kept_weights(const mase::io::LoadReport& report, const Run& run) {
  if (report.kept.empty()) return;
  const bool trains = run.invocation.action->name == "train";
  tell_random_weights(
      fmt::format("{} of {} parameters are not those of the checkpoint and stay as they were "
                  "initialised: {}",
                  report.kept.size(), run.graph.parameters().size(), report.kept_text()),
      trains ? "training begins with them"
             : "what follows is of a network that is not trained as a whole",
      run);
}

// What the log says of number formats: those that came along, and those that cannot have come along
// although the file is of a quantised network.
void tell_quantisation(const Checkpoint& checkpoint, const mase::io::LoadReport& report,
                       const Run& run) {
  if (!report.quantisation.empty()) {
    run.info(fmt::format("The network is quantised: number formats on {}",
                         mase::io::quantised_nodes_text(report.quantisation)));
    return;
  }
  const fs::path module = checkpoint.path.parent_path() / "graph_module.mz";
  std::error_code error;
  if (checkpoint.type != "pt" || !fs::is_regular_file(module, error)) return;
  const mase::Result<mase::ir::Graph> beside = mase::io::read_mz(module);
  if (!beside || mase::io::quantisation_of(*beside).empty()) return;
  run.warn(
      fmt::format("{} holds the float weights alone: the quantised network they belong to is "
                  "--load {}",
                  checkpoint.path.string(), module.string()));
}

// A network from a file is fed with the data of the one it takes the place of. Older files do not
// say what they are made for.
void take_input_type(mase::ir::Graph& loaded, const mase::ir::Graph& graph, const fs::path& path) {
  const auto inputs = loaded.placeholders();
  if (inputs.size() != 1 || graph.placeholders().size() != 1) return;
  std::optional<mase::ir::TensorType>& type = loaded.node(inputs[0]).type;
  const auto& wanted = graph.node(graph.placeholders()[0]).type;
  if (!type) type = wanted;
  if (!wanted || *type == *wanted) return;
  mase::usage_error(fmt::format("this network reads samples of {}, but those of the data are {}",
                                mase::ir::text(type->shape), mase::ir::text(wanted->shape)),
                    {.file = path.string()}, "name the data set that it was made for");
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

mase::io::LoadReport load_into(const Checkpoint& checkpoint, const Settings& settings,
                               mase::ir::Graph& graph) {
  const bool drop = settings.flag("drop_quantisation");
  if (checkpoint.type != "mz") {
    return mase::io::load_parameters(checkpoint.path, graph, settings.flag("partial_load"),
                                     drop ? mase::io::Formats::LeaveOut : mase::io::Formats::Take);
  }
  mase::ir::Graph loaded = mase::passes::load_mase_graph(checkpoint.path);
  if (drop) return load_weights(loaded, checkpoint.path, settings.flag("partial_load"), graph);
  take_input_type(loaded, graph, checkpoint.path);
  graph = std::move(loaded);
  return {.quantisation = mase::io::quantisation_of(graph)};
}

mase::io::LoadReport load_checkpoint(const Checkpoint& checkpoint, Run& run) {
  run.phases.start("load the checkpoint");
  const std::string name = run.graph.name;
  mase::io::LoadReport report = load_into(checkpoint, run.settings, run.graph);
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
  tell_kept_weights(report, run);
  if (!run.settings.flag("drop_quantisation")) tell_quantisation(checkpoint, report, run);
  run.phases.stop();
  return report;
}

bool load_or_warn(Run& run, bool brings_graph) {
  if (const auto checkpoint = find_checkpoint(run.settings)) {
    load_checkpoint(*checkpoint, run);
    return true;
  }
  if (brings_graph) return true;
  tell_random_weights("no checkpoint was named with --load",
                      "what follows is of an untrained network", run);
  return false;
}

Checkpoint required_checkpoint(const Run& run) {
  if (auto checkpoint = find_checkpoint(run.settings)) return *checkpoint;
  const fs::path latest = latest_checkpoint(run.settings.text("project_dir"), run.graph);
  mase::usage_error("expected checkpoint via --load, got None", {},
                    latest.empty() ? "ch train writes one"
                                   : fmt::format("the latest is --load {}",
                                                 mase::path_from_here(latest).string()));
}

}  // namespace ch
