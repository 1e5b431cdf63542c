#pragma once

#include <string>
#include <vector>

#include "mase/passes/pass.h"

namespace mase::passes {

struct ReportNodeMetaParamOptions {
  // Out of "all", "common", "hardware", "software".
  std::vector<std::string> which = {"all"};
};

// A table of every node with its metadata, dictionaries over several lines. Needs
// add_common_metadata. Throws Error{Usage} for an unknown kind of metadata.
std::string report_node_meta_param(const ir::Graph& graph,
                                   const ReportNodeMetaParamOptions& options = {});

extern const Pass kReportNodeMetaParam;

}  // namespace mase::passes
