#pragma once

#include <filesystem>
#include <string>

#include "mase/io/bytes.h"
#include "mase/ir/graph.h"
#include "mase/support/result.h"

// A whole graph in one file, `.mz`: a zip archive of
//   graph.txt            what it computes (ir/graph_text.h)
//   weights.safetensors  parameters and buffers
//   metadata.toml        the metadata of each node, a table per node
//   graph_meta.toml      the metadata of the graph, if there is any
namespace mase::io {

// Throws Error{RunFailed} if the file cannot be written; the previous file then stays whole.
void write_mz(const std::filesystem::path& path, const ir::Graph& graph);

// The graph as it was written, verified. Tensors in the metadata come back as nested lists, as TOML
// holds them.
Result<ir::Graph> read_mz(const std::filesystem::path& path);
Result<ir::Graph> parse_mz(Bytes bytes, const std::string& file_name);

}  // namespace mase::io
