// save_node_meta_param and load_node_meta_param: metadata to and from TOML.
#include "mase/passes/interface/node_meta_param.h"

#include <fmt/format.h>

#include "mase/io/text/toml.h"
#include "mase/support/diagnostics.h"
#include "mase/support/files.h"
#include "mase/support/suggest.h"

namespace mase::passes {
namespace {

PassResult save_meta_params_pass(const ir::Graph& graph, const Options& options, Context& context) {
  const std::filesystem::path path =
      options.find("save_path") ? std::filesystem::path(options.text("save_path"))
                                : context.folder / "save_node_meta_param" / "node_meta_param.toml";
  save_node_meta_param(graph, path);
  context.log_info(fmt::format("Saved the metadata of all nodes to {}", path.string()));
  return {.graph = graph, .info = ir::Dict{{"path", path.string()}}, .hits = {}};
}

PassResult load_meta_params_pass(const ir::Graph& graph, const Options& options, Context& context) {
  const std::string path = options.text("load_path");
  PassResult result{.graph = load_node_meta_param(graph, path), .info = {}, .hits = {}};
  context.log_info(fmt::format("Loaded the metadata of nodes from {}", path));
  return result;
}

}  // namespace

void save_node_meta_param(const ir::Graph& graph, const std::filesystem::path& path) {
  ir::Dict nodes;
  for (const ir::Node& node : graph) nodes.emplace_back(node.name, node.meta.to_value());
  write_file(path, io::write_toml(nodes));
}

ir::Graph load_node_meta_param(const ir::Graph& graph, const std::filesystem::path& path) {
  const io::TomlNode file = io::read_toml(path).or_throw();
  std::vector<std::string> names;
  for (const ir::Node& node : graph) names.push_back(node.name);
  ir::Graph out = graph;
  Diagnostics problems;
  for (const auto& [name, table] : file.table) {
    ir::Node* node = out.find_node(name);
    if (!node) {
      problems.add(fmt::format("the graph has no node '{}'", name), table.where,
                   did_you_mean(name, names));
      continue;
    }
    try {
      node->meta = ir::metadata_from_value(table.to_value());
    } catch (const Error& error) {
      problems.add(fmt::format("node {}: {}", name, error.message()), table.where, error.hint());
    }
  }
  problems.throw_if_any();
  return out;
}

const Pass kSaveNodeMetaParam{
    .name = "save_node_meta_param",
    .kind = PassKind::Interface,
    .summary = "write the metadata of all nodes to a TOML file",
    .options = {{.name = "save_path",
                 .type = FieldType::Path,
                 .standard = kOpen,
                 .help = "the file; default save_node_meta_param/node_meta_param.toml in the "
                         "folder of the run",
                 .example = "\"node_meta_param.toml\""}},
    .run = save_meta_params_pass,
};

const Pass kLoadNodeMetaParam{
    .name = "load_node_meta_param",
    .kind = PassKind::Interface,
    .summary = "read the metadata of nodes from a TOML file",
    .options = {{.name = "load_path",
                 .type = FieldType::Path,
                 .help = "a file that save_node_meta_param wrote",
                 .example = "\"node_meta_param.toml\""}},
    .run = load_meta_params_pass,
};

}  // namespace mase::passes
