// Strict loading of weights: what a checkpoint and a graph have in common and what not.
#include "mase/io/graph/load.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "mase/io/graph/quantisation.h"
#include "mase/io/torch/checkpoint_keys.h"
#include "mase/ir/format_state.h"
#include "mase/support/printable.h"
#include "mase/support/table.h"

namespace mase::io {

namespace {

// Names are listed whole in messages, but not hundreds of them.
std::string listed(const std::vector<std::string>& names, std::string_view between = "\n") {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    if (i > 0) text += between;
    text += shortened(names[i]);
  }
  if (names.size() > kMost) text += fmt::format("{}and {} more", between, names.size() - kMost);
  return text;
}

// What stands in front of `name` in the names that end with it.
std::vector<std::string> prefixes_of(std::string_view name, const ir::State& state) {
  std::vector<std::string> out;
  for (const auto& [full, tensor] : state) {
    if (full.size() <= name.size() || !full.ends_with(name)) continue;
    const std::string_view prefix = std::string_view(full).substr(0, full.size() - name.size());
    if (prefix.ends_with('.')) out.emplace_back(prefix);
  }
  return out;
}

// The counter of a batch norm whose running statistics are there: old files do not have it.
bool is_implied(std::string_view name, const std::unordered_set<std::string>& given) {
  constexpr std::string_view kCounter = "num_batches_tracked";
  if (!name.ends_with(kCounter)) return false;
  return given.contains(std::string(name.substr(0, name.size() - kCounter.size())) +
                        "running_mean");
}

std::int64_t count(const std::vector<std::string>& names) {
  return static_cast<std::int64_t>(names.size());
}

}  // namespace

std::string LoadReport::text() const {
  std::vector<std::vector<Cell>> rows;
  rows.push_back({std::string("matched"), count(matched), exact() ? "all" : listed(matched)});
  rows.push_back({std::string("missing"), count(missing), listed(missing)});
  rows.push_back({std::string("unexpected"), count(unexpected), listed(unexpected)});
  if (!mismatched.empty()) {
    rows.push_back({std::string("other shape"), count(mismatched), listed(mismatched)});
  }
  if (!unread.empty()) rows.push_back({std::string("not read"), count(unread), listed(unread)});
  return format_table({"Parameters", "Number", "Names"}, rows, {.style = TableStyle::Orgtbl});
}

std::string LoadReport::kept_text() const {
  return listed(kept, ", ");
}

std::string strip_prefix(Checkpoint& checkpoint, const ir::Graph& graph) {
  // Names that are in the graph by chance decide nothing, so a few of them are enough to find the
  // prefixes that are possible.
  constexpr std::size_t kTried = 16;
  std::unordered_set<std::string> given;
  for (const auto& [name, tensor] : checkpoint.state) given.insert(name);
  const auto fitting = [&](const std::string& prefix) {
    return std::count_if(graph.parameters().begin(), graph.parameters().end(),
                         [&](const ir::Parameter& p) { return given.contains(prefix + p.name); });
  };
  std::string best;
  auto most = fitting("");
  const std::size_t tried = std::min(graph.parameters().size(), kTried);
  std::unordered_set<std::string> seen;
  for (const ir::Parameter& parameter : std::span(graph.parameters()).first(tried)) {
    for (std::string& prefix : prefixes_of(parameter.name, checkpoint.state)) {
      if (seen.size() == kTried || !seen.insert(prefix).second) continue;
      if (const auto found = fitting(prefix); found > most) {
        most = found;
        best = std::move(prefix);
      }
    }
  }
  if (best.empty()) return best;
  const auto strip = [&](auto& named) {
    for (auto& [name, value] : named) {
      if (name.starts_with(best)) name.erase(0, best.size());
    }
  };
  strip(checkpoint.state);
  strip(checkpoint.unread);
  for (ir::OptimiserSlot& slot : checkpoint.optimiser) {
    if (slot.parameter.starts_with(best)) slot.parameter.erase(0, best.size());
  }
  return best;
}

std::string stripped_text(const std::string& prefix) {
  return fmt::format("'{}' in front of the checkpoint's names is left out", prefix);
}

LoadReport match_parameters(const Checkpoint& checkpoint, ir::Graph& graph) {
  std::unordered_map<std::string_view, const ir::Tensor*> tensors;
  std::unordered_set<std::string> given;
  for (const auto& [name, tensor] : checkpoint.state) {
    tensors.emplace(name, &tensor);
    given.insert(name);
  }
  std::unordered_set<std::string> states;
  for (const ir::FormatState& state : ir::format_states(graph)) states.insert(state.name);
  LoadReport report;
  std::vector<std::string> added;
  std::int64_t implied = 0;
  std::unordered_set<std::string_view> known;
  for (ir::Parameter& parameter : graph.parameters_mut()) {
    known.insert(parameter.name);
    report.kept.push_back(parameter.name);  // unless one is found below
    const auto found = tensors.find(parameter.name);
    const std::string* kind = ir::find(checkpoint.unread, parameter.name);
    if (kind) {
      report.unread.push_back(
          fmt::format("{} is {}, which is not supported", parameter.name, *kind));
    } else if (found == tensors.end() && is_implied(parameter.name, given)) {
      parameter.value = ir::Tensor(parameter.value.shape(), parameter.value.dtype());
      ++implied;
      report.kept.pop_back();
    } else if (found == tensors.end() && states.contains(parameter.name)) {
      added.push_back(parameter.name);
    } else if (found == tensors.end()) {
      report.missing.push_back(parameter.name);
    } else if (found->second->shape() != parameter.value.shape()) {
      report.mismatched.push_back(fmt::format("{}: {} here, {} in the checkpoint", parameter.name,
                                              ir::text(parameter.value.shape()),
                                              ir::text(found->second->shape())));
    } else {
      report.matched.push_back(parameter.name);
      report.kept.pop_back();
      parameter.value = found->second->to(parameter.value.dtype());
    }
  }
  for (const auto& [name, tensor] : checkpoint.state) {
    if (!known.contains(name)) report.unexpected.push_back(name);
  }
  if (!added.empty()) {
    report.notes.push_back(
        fmt::format("what the number formats learn is not in the checkpoint and stays as it is: {}",
                    fmt::join(added, ", ")));
  }
  if (implied > 0) {
    report.notes.push_back(fmt::format(
        "num_batches_tracked of {} batch norm{} is not in the checkpoint: taken as 0, as PyTorch "
        "does",
        implied, implied == 1 ? "" : "s"));
  }
  return report;
}

namespace {

// What the checkpoint's formats have learned means nothing without them.
void drop_format_states(Checkpoint& checkpoint, const ir::Graph& graph) {
  const ir::Value* section = ir::find(checkpoint.mase, kQuantisation);
  const auto* formats = section ? section->get<ir::Dict>() : nullptr;
  if (!formats || formats->empty()) return;
  const Result<ir::Graph> quantised = with_quantisation(graph, *formats, checkpoint.state);
  if (!quantised) return;
  std::erase_if(checkpoint.state, [&](const auto& entry) {
    return !graph.find_parameter(entry.first) && ir::is_format_state(*quantised, entry.first);
  });
}

}  // namespace

ir::Dict load_quantisation(const Checkpoint& checkpoint, const std::filesystem::path& path,
                           ir::Graph& graph) {
  const Location where{.file = path.string()};
  const ir::Value* section = ir::find(checkpoint.mase, kQuantisation);
  if (!section) return {};
  const ir::Dict* formats = section->get<ir::Dict>();
  if (!formats) {
    throw Error(ErrorKind::Unreadable, "its number formats are no dictionary of nodes", where);
  }
  if (formats->empty()) return {};
  const ir::Dict here = quantisation_of(graph);
  if (!here.empty()) {
    const std::vector<std::string> differences = quantisation_differences(here, *formats);
    if (differences.empty()) return {};
    usage_error(
        "the checkpoint is of a network that is quantised otherwise\n" + listed(differences), where,
        "load it into the float network");
  }
  Result<ir::Graph> quantised = with_quantisation(graph, *formats, checkpoint.state);
  if (!quantised) {
    usage_error(fmt::format("the number formats of the checkpoint do not fit the network '{}': {}",
                            graph.name, quantised.error().message),
                {.file = path.string(), .node = quantised.error().where.node},
                "the weights alone: --drop-quantisation");
  }
  graph = *std::move(quantised);
  return *formats;
}

LoadReport load_parameters(const std::filesystem::path& path, ir::Graph& graph, bool partial,
                           Formats formats) {
  Checkpoint checkpoint = read_checkpoint(path).or_throw();
  const std::string prefix = strip_prefix(checkpoint, graph);
  const auto matched = [&](ir::Graph& target) {
    LoadReport report = match_parameters(checkpoint, target);
    const bool fits =
        checkpoint.kind == CheckpointKind::Lightning ? report.complete() : report.exact();
    if (!fits && !partial) {
      usage_error(fmt::format("the checkpoint does not fit the network '{}'\n{}", graph.name,
                              report.text()),
                  {.file = path.string()});
    }
    return report;
  };
  ir::Graph loaded = graph;
  ir::Dict taken;
  if (formats == Formats::Take) {
    try {
      taken = load_quantisation(checkpoint, path, loaded);
    } catch (const Error&) {
      matched(loaded);  // of another network altogether: says more
      throw;
    }
  } else {
    drop_format_states(checkpoint, graph);
  }
  LoadReport report = matched(loaded);
  if (!prefix.empty()) report.notes.insert(report.notes.begin(), stripped_text(prefix));
  report.kind = checkpoint.kind;
  report.quantisation = std::move(taken);
  graph = std::move(loaded);
  return report;
}

bool is_checkpoint_of(const ir::Graph& graph, const std::filesystem::path& path) {
  Result<Checkpoint> checkpoint = read_checkpoint(path);
  if (!checkpoint) return false;
  strip_prefix(*checkpoint, graph);
  ir::Graph copy = graph;
  return match_parameters(*checkpoint, copy).exact();
}

}  // namespace mase::io
