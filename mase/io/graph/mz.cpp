// `.mz` files: the parts of a graph, each in the format of its own reader, in one zip archive.
#include "mase/io/graph/mz.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "mase/io/arrays/safetensors.h"
#include "mase/io/text/toml.h"
#include "mase/io/zip.h"
#include "mase/ir/graph_text.h"
#include "mase/ops/op.h"
#include "mase/ops/verify.h"
#include "mase/support/files.h"

namespace mase::io {

namespace {

constexpr const char* kGraph = "graph.txt";
constexpr const char* kWeights = "weights.safetensors";
constexpr const char* kMetadata = "metadata.toml";
constexpr const char* kGraphMeta = "graph_meta.toml";

// Messages name the archive and the member: "x.mz/graph.txt".
std::string member_name(const std::string& archive, const char* member) {
  return fmt::format("{}/{}", archive, member);
}

Result<Bytes> read_text(const ZipReader& zip, const char* member) {
  const ZipEntry* entry = zip.find(member);
  return zip.read(member, entry ? honest_size(*entry) : 0);
}

// A header, and the parameters that the graph lists.
Result<Bytes> read_weights(const ZipReader& zip, const ir::GraphText& text) {
  constexpr std::uint64_t kHeader = 100'000'008;
  const ZipEntry* entry = zip.find(kWeights);
  std::uint64_t needed = std::min(kHeader, entry ? honest_size(*entry) : 0);
  for (const ir::ParameterLine& line : text.parameters) {
    const auto bytes = dense_bytes(line.shape, ir::size_of(line.dtype));
    needed = bytes && *bytes < ZipReader::kNoLimit - needed ? needed + *bytes : ZipReader::kNoLimit;
  }
  return zip.read(kWeights, needed);
}

// Layers of files that were written before an attribute was known have its default. What else is
// wrong with attributes, the verifier says.
void complete_layers(ir::Graph& graph) {
  for (ir::Node& node : graph.nodes_mut()) {
    const ops::Op* op = node.kind == ir::NodeKind::CallModule ? ops::find_op(node.op) : nullptr;
    if (!op) continue;
    try {
      node.attributes = ops::complete_attributes(*op, node.attributes);
    } catch (const Error&) {
    }
  }
}

Result<TomlNode> read_toml_member(const ZipReader& zip, const char* member) {
  auto bytes = read_text(zip, member);
  if (!bytes) return bytes.error();
  return parse_toml(text_of(bytes->bytes), member_name(zip.file_name(), member));
}

Status read_metadata(const ZipReader& zip, ir::Graph& graph) {
  auto file = read_toml_member(zip, kMetadata);
  if (!file) return file.error();
  std::unordered_map<std::string_view, ir::Node*> nodes;
  for (ir::Node& node : graph.nodes_mut()) nodes.emplace(node.name, &node);
  for (const auto& [name, table] : file->table) {
    const auto found = nodes.find(name);
    if (found == nodes.end()) {
      return ReadError{fmt::format("metadata of a node '{}' that the graph does not have", name),
                       table.where};
    }
    try {
      found->second->meta = ir::metadata_from_value(table.to_value());
    } catch (const Error& error) {
      return ReadError{fmt::format("node {}: {}", name, error.message()), table.where};
    }
  }
  return std::monostate{};
}

}  // namespace

void write_mz(const std::filesystem::path& path, const ir::Graph& graph) {
  ir::Dict nodes;
  for (const ir::Node& node : graph) nodes.emplace_back(node.name, node.meta.to_value());
  ZipWriter zip;
  zip.add(kGraph, ir::to_text(graph));
  zip.add(kWeights, safetensors_bytes({.tensors = graph.state()}));
  zip.add(kMetadata, write_toml(nodes));
  if (!graph.meta.empty()) zip.add(kGraphMeta, write_toml(graph.meta));
  zip.write(path);
}

Result<ir::Graph> parse_mz(Bytes bytes, const std::string& file_name) {
  auto zip = ZipReader::parse(std::move(bytes), file_name);
  if (!zip) return zip.error();
  auto text = read_text(*zip, kGraph);
  if (!text) return text.error();
  auto parsed = ir::parse_graph(text_of(text->bytes), member_name(file_name, kGraph));
  if (!parsed) return parsed.error();
  auto weights = read_weights(*zip, *parsed);
  if (!weights) return weights.error();
  auto tensors = parse_safetensors(weights->bytes, member_name(file_name, kWeights));
  if (!tensors) return tensors.error();
  auto graph = ir::with_parameters(std::move(parsed).or_throw(), tensors->tensors);
  if (!graph) return graph.error();
  complete_layers(*graph);
  if (Status read = read_metadata(*zip, *graph); !read) return read.error();
  if (zip->find(kGraphMeta)) {
    auto meta = read_toml_member(*zip, kGraphMeta);
    if (!meta) return meta.error();
    graph->meta = meta->to_value().as_dict();
  }
  const std::vector<Problem> problems = ops::verify(*graph);
  if (!problems.empty()) {
    return ReadError{problems.front().text(), {.file = member_name(file_name, kGraph)}};
  }
  return graph;
}

Result<ir::Graph> read_mz(const std::filesystem::path& path) {
  auto file = load_file(path);
  if (!file) return file.error();
  return parse_mz(*std::move(file), path.string());
}

}  // namespace mase::io
