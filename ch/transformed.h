#pragma once

#include <filesystem>

#include "mase/ir/graph.h"
#include "mase/support/log.h"

namespace ch {

// Writes a transformed graph: graph_module.mz (graph text, weights and metadata), and beside it for
// other programs state_dict.pt and node_meta_param.toml. Logs where.
void save_transformed(const mase::ir::Graph& graph, const std::filesystem::path& folder,
                      const mase::Log& log);

}  // namespace ch
