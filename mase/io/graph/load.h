#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "mase/io/torch/checkpoint.h"
#include "mase/ir/graph.h"

// Putting the weights of a checkpoint into a graph, name by name.
namespace mase::io {

// What became of each name. Nothing but `matched` changed the graph.
struct LoadReport {
  CheckpointKind kind = CheckpointKind::StateDict;
  std::vector<std::string> matched;     // in both, same shape
  std::vector<std::string> missing;     // of the graph, not in the checkpoint
  std::vector<std::string> unexpected;  // in the checkpoint, not of the graph
  // In both with different shapes: "seq_blocks.2.weight: [5, 16] here, [5, 8] in the checkpoint".
  std::vector<std::string> mismatched;
  std::vector<std::string> unread;  // "seq_blocks.2.weight is a sparse tensor, which is not read"
  std::vector<std::string> kept;    // all of these by name: parameters that keep their values
  // What was done to make names fit, for the log: prefixes taken off, counters taken as 0.
  std::vector<std::string> notes;
  // The number formats that the checkpoint put on nodes (io/graph/quantisation.h); empty for a
  // float one.
  ir::Dict quantisation;

  bool complete() const { return missing.empty() && mismatched.empty() && unread.empty(); }
  bool exact() const { return complete() && unexpected.empty(); }
  // A table with one row per group: what, how many, which.
  std::string text() const;
  std::string kept_text() const;  // "seq_blocks.2.weight, seq_blocks.2.bias", at most 8 names
};

// Takes off what wrappers put in front of all names ("module.", "_orig_mod.", "net.",
// "model.model."): the prefix with which the most names of the graph are found, if that is more
// than without. Returns it, "" if there is none. Names that do not have it stay as they are.
std::string strip_prefix(Checkpoint& checkpoint, const ir::Graph& graph);

// What a log says of a prefix that was taken off.
std::string stripped_text(const std::string& prefix);

// Matches by name and shape and converts types. `graph` gets all that match. A batch norm's
// num_batches_tracked that is missing is 0, as in PyTorch.
LoadReport match_parameters(const Checkpoint& checkpoint, ir::Graph& graph);

// Whether the number formats of a quantised network come along with its weights.
enum class Formats { Take, LeaveOut };

// Puts the formats of a checkpoint of ours on a float graph and returns them; nothing where the
// checkpoint has none. Throws Error{Usage} where the graph is quantised otherwise or has no such
// node, Error{Unreadable} where the section is damaged; `path` is for the message.
ir::Dict load_quantisation(const Checkpoint& checkpoint, const std::filesystem::path& path,
                           ir::Graph& graph);

// Reads a Lightning checkpoint, a state dictionary or safetensors and loads it strictly: a
// parameter of the graph that is missing or of another shape, or (for a state dictionary) one that
// the graph does not know, is an Error{Usage} with the table, and leaves the graph as it was.
// `partial` loads what matches. Lightning checkpoints also hold the states of metrics: names
// unknown to the graph are only listed. Error{Unreadable} for a damaged file. A checkpoint of a
// quantised network makes a float graph a quantised one (load_quantisation), unless `formats` says
// otherwise.
LoadReport load_parameters(const std::filesystem::path& path, ir::Graph& graph,
                           bool partial = false, Formats formats = Formats::Take);

// Whether a file is a checkpoint of this very network: every parameter is there in its shape, and
// no other. For hints, which are to name no others. False for what cannot be read.
bool is_checkpoint_of(const ir::Graph& graph, const std::filesystem::path& path);

}  // namespace mase::io

namespace fmt {

template <>
struct formatter<mase::io::LoadReport> : formatter<std::string_view> {
  template <typename FormatContext>
  auto format(const mase::io::LoadReport& report, FormatContext& context) const {
    return formatter<std::string_view>::format(report.text() + "\n", context);
  }
};

}  // namespace fmt
