#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "ch/run.h"
#include "mase/io/graph/load.h"

namespace ch {

// What --load and --load-type name.
struct Checkpoint {
  std::filesystem::path path;  // a file, also where --load names a folder
  std::string type;            // "pt", "pl", "mz"
};

// From the settings, the type from the content. Nothing if --load is not given. Throws if the file
// is none of these, is of another type than --load-type says, or is the original's pickled .mz.
std::optional<Checkpoint> find_checkpoint(const Settings& settings);

// Loads weights into the graph, and the number formats of a quantised network with them, or
// replaces it by the transformed graph (mz). Returns the report of the names (no names for mz). By
// the settings --partial-load and --drop-quantisation.
mase::io::LoadReport load_into(const Checkpoint& checkpoint, const Settings& settings,
                               mase::ir::Graph& graph);

// The same for the graph of a run, with log lines.
mase::io::LoadReport load_checkpoint(const Checkpoint& checkpoint, Run& run);

// Loads what --load names. Without it, and unless the passes bring a graph of their own: a warning
// that the weights are random, an error with --strict. Returns whether the weights are from a file.
bool load_or_warn(Run& run, bool brings_graph);

// The checkpoint that test and predict need. Without --load: an error that names the latest
// best.ckpt of this network in the project folder.
Checkpoint required_checkpoint(const Run& run);

}  // namespace ch
