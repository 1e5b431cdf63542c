#pragma once

#include <filesystem>

#include "mase/ir/graph.h"
#include "mase/passes/pass.h"

// The metadata of all nodes as a TOML file: a table per node with `common`, `software` and
// `hardware`; none is "NA", tensors are nested arrays.
namespace mase::passes {

// Error{RunFailed} if the file cannot be written.
void save_node_meta_param(const ir::Graph& graph, const std::filesystem::path& path);

// Gives the nodes the metadata of such a file, also of one that the original wrote; nodes that are
// not in it keep theirs. Error{Unreadable} if it cannot be read, Error{Usage} listing every node
// that the graph does not have and every entry that cannot be understood.
ir::Graph load_node_meta_param(const ir::Graph& graph, const std::filesystem::path& path);

extern const Pass kSaveNodeMetaParam;
extern const Pass kLoadNodeMetaParam;

}  // namespace mase::passes
