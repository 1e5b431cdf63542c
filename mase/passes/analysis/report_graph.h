#pragma once

#include <string>

#include "mase/passes/pass.h"

namespace mase::passes {

struct ReportGraphOptions {
  enum class Style {
    Classic,  // listing, counts, layers
    Full,     // the same under headings, after a table of all nodes
  };
  Style style = Style::Classic;
};

// The graph's listing, how many nodes of each kind it has, and its layers, as MASE prints them;
// ends with a line break.
std::string report_graph(const ir::Graph& graph, const ReportGraphOptions& options = {});

extern const Pass kReportGraph;

}  // namespace mase::passes
