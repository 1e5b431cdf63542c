// Strict loading of weights: what a checkpoint and a graph have in common and what not.
#include "mase/io/load.h"

#include <algorithm>

#include "mase/support/table.h"

namespace mase::io {

namespace {

// Names are listed whole in messages, but not hundreds of them.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i ? "\n" : "") + names[i];
  }
  if (names.size() > kMost) text += fmt::format("\nand {} more", names.size() - kMost);
  return text;
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
  return format_table({"Parameters", "Number", "Names"}, rows, {.style = TableStyle::Orgtbl});
}

LoadReport match_parameters(const ir::State& state, ir::Graph& graph) {
  LoadReport report;
  for (ir::Parameter& parameter : graph.parameters_mut()) {
    const ir::Tensor* found = ir::find(state, parameter.name);
    if (!found) {
      report.missing.push_back(parameter.name);
    } else if (found->shape() != parameter.value.shape()) {
      report.mismatched.push_back(fmt::format("{}: {} here, {} in the checkpoint", parameter.name,
                                              ir::text(parameter.value.shape()),
                                              ir::text(found->shape())));
    } else {
      report.matched.push_back(parameter.name);
      parameter.value = found->to(parameter.value.dtype());
    }
  }
  for (const auto& [name, tensor] : state) {
    if (!graph.find_parameter(name)) report.unexpected.push_back(name);
  }
  return report;
}

LoadReport load_parameters(const std::filesystem::path& path, ir::Graph& graph, bool partial) {
  const CheckpointKind kind = detect_checkpoint(path).or_throw();
  const Checkpoint checkpoint = read_checkpoint(path).or_throw();
  ir::Graph loaded = graph;
  LoadReport report = match_parameters(checkpoint.state, loaded);
  report.kind = kind;
  const bool fits = kind == CheckpointKind::Lightning ? report.complete() : report.exact();
  if (!fits && !partial) {
    usage_error(
        fmt::format("the checkpoint does not fit the network '{}'\n{}", graph.name, report.text()),
        {.file = path.string()});
  }
  graph = std::move(loaded);
  return report;
}

}  // namespace mase::io
