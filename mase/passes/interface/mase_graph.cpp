// save_mase_graph and load_mase_graph: a graph to and from a folder.
#include "mase/passes/interface/mase_graph.h"

#include <fmt/format.h>

#include "mase/io/graph/mz.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/ir/format_state.h"
#include "mase/passes/interface/node_meta_param.h"
#include "mase/support/files.h"
#include "mase/support/paths.h"

namespace mase::passes {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModule = "graph_module.mz";
constexpr const char* kState = "state_dict.pt";
constexpr const char* kMetadata = "node_meta_param.toml";

// The .mz file that a user means by a folder, by a file inside of it, or by itself.
fs::path module_of(const fs::path& path) {
  if (is_folder(path)) return path / kModule;
  if (path.filename() == kState || path.filename() == kMetadata)
    return path.parent_path() / kModule;
  return path;
}

PassResult save_graph_pass(const ir::Graph& graph, const Options& options, Context& context) {
  const fs::path folder = options.find("save_dir") ? fs::path(options.text("save_dir"))
                                                   : context.folder / "saved_mase_graph";
  save_mase_graph(graph, folder);
  context.log_info(fmt::format("Saved mase graph to {}", folder.string()));
  return {.graph = graph, .info = ir::Dict{{"folder", folder.string()}}, .hits = {}};
}

PassResult load_graph_pass(const ir::Graph&, const Options& options, Context& context) {
  const std::string path = options.text("load_dir");
  PassResult result{.graph = load_mase_graph(path), .info = {}, .hits = {}};
  context.log_info(fmt::format("Loaded mase graph from {}", path));
  return result;
}

}  // namespace

void save_mase_graph(const ir::Graph& graph, const fs::path& folder) {
  create_folder(folder);
  io::write_mz(folder / kModule, graph);
  io::write_state_dict(folder / kState, ir::float_state(graph));
  save_node_meta_param(graph, folder / kMetadata);
}

ir::Graph load_mase_graph(const fs::path& path) {
  const fs::path file = module_of(path);
  const Result<io::CheckpointKind> kind = io::detect_checkpoint(file);
  if (kind.ok() && *kind == io::CheckpointKind::PickledMz) {
    std::move(io::read_checkpoint(file)).or_throw();  // says why not, and the way out
  }
  ir::Graph graph = io::read_mz(file).or_throw();
  const fs::path metadata = file.parent_path() / kMetadata;
  const bool of_this_graph = file.filename() == kModule && path_exists(metadata);
  return of_this_graph ? load_node_meta_param(graph, metadata) : graph;
}

const Pass kSaveMaseGraph{
    .name = "save_mase_graph",
    .kind = PassKind::Interface,
    .summary = "write the graph with weights and metadata to a folder",
    .options = {{.name = "save_dir",
                 .type = FieldType::Path,
                 .standard = kOpen,
                 .help = "the folder; default saved_mase_graph in the folder of the run",
                 .example = "\"saved_mase_graph\""}},
    .run = save_graph_pass,
};

const Pass kLoadMaseGraph{
    .name = "load_mase_graph",
    .kind = PassKind::Interface,
    .summary = "go on with a graph that save_mase_graph wrote",
    .options = {{.name = "load_dir",
                 .type = FieldType::Path,
                 .help = "the folder, a file inside of it, or an .mz file",
                 .example = "\"saved_mase_graph\""}},
    .run = load_graph_pass,
};

}  // namespace mase::passes
