#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "ch/action.h"
#include "ch/phases.h"
#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/ir/graph.h"
#include "mase/support/log.h"
#include "mase/train/train.h"

namespace ch {

// What the actions on a model and a data set share: the start of every run, its folders, its
// engine, and what it tells the user.
class Run {
 public:
  // Prints the seed line, the argument table and the warnings of merging.
  explicit Run(const Invocation& invocation);

  // Builds the model, opens the data, creates the project folder; a log line for each.
  void open();

  const Invocation& invocation;
  const Settings& settings;
  mase::Log log;
  Phases phases;
  mase::ir::Graph graph;
  mase::data::DataSet data;
  std::filesystem::path folder;  // <project_dir>/<project>

  std::filesystem::path software(std::string_view sub = "") const;  // <folder>/software/<sub>
  const std::string& model_name() const { return settings.text("model"); }
  bool json() const { return settings.flag("json"); }
  bool dry_run() const { return settings.flag("dry_run"); }

  // Precision, threads, seed and the shape of a row for an engine. Says once that 16-mixed computes
  // in float32.
  mase::engine::ProgramOptions program_options();
  // The engine for this graph by --engine, with the reason in the log where it is not the first.
  const mase::engine::Engine& engine(const mase::ir::Graph& graph,
                                     const mase::engine::ProgramOptions& options);
  // For the loops of the library.
  mase::train::Output output() const;
  // Writes graph_module.mz, state_dict.pt and node_meta_param.toml, and logs where.
  void save_graph(const mase::ir::Graph& graph, const std::filesystem::path& folder) const;
  // Logs "<what> is completed" and the times of --profile.
  void complete(std::string_view what);

  void info(std::string_view text) const { log.info(text); }
  void warn(std::string_view text) const { log.warning(text); }

 private:
  void open_data();
  void choose_folder();

  bool said_precision_ = false;
};

// "<model>_<task>_<dataset>_<YYYY-MM-DD>", or what --project says. Paths count with their stem.
// With --resume, the newest of these that has checkpoints; of a sweep, the newest that has one.
std::string project_name(const Invocation& invocation);
std::filesystem::path project_folder(const Invocation& invocation);  // <project_dir>/<project>

}  // namespace ch
