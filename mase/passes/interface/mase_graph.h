#pragma once

#include <filesystem>

#include "mase/ir/graph.h"
#include "mase/passes/pass.h"

// A whole graph in a folder of three files:
//   graph_module.mz       everything (io/graph/mz.h)
//   state_dict.pt         parameters and buffers, for PyTorch
//   node_meta_param.toml  the metadata of all nodes, to be read and edited by people
namespace mase::passes {

// Error{RunFailed} if a file cannot be written.
void save_mase_graph(const ir::Graph& graph, const std::filesystem::path& folder);

// From such a folder, a file inside of it, or an .mz file alone. The metadata comes from
// node_meta_param.toml where there is one. Error{Unreadable} for what cannot be read; for a folder
// of the original, whose graph_module.mz is code, it says what to do instead.
ir::Graph load_mase_graph(const std::filesystem::path& path);

extern const Pass kSaveMaseGraph;
extern const Pass kLoadMaseGraph;

}  // namespace mase::passes
