// Model files: TOML with a list of layers as PyTorch prints them.
#include "mase/models/model_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/io/text/toml.h"
#include "mase/models/builder.h"
#include "mase/models/model.h"
#include "mase/support/diagnostics.h"
#include "mase/support/files.h"
#include "mase/support/suggest.h"

namespace mase::models {
namespace {

constexpr std::size_t kLongestFile = 1 << 20;  // bytes
constexpr std::size_t kMostLayers = 10000;

// The text of a key, or `standard` if the key is absent.
std::string text_of(const io::TomlNode& root, std::string_view key, std::string standard,
                    Diagnostics& problems) {
  const io::TomlNode* node = root.find(key);
  if (!node) return standard;
  if (const auto* text = node->value.get<std::string>(); text && !text->empty()) return *text;
  problems.add(fmt::format("{} must be a text", key), node->where);
  return standard;
}

void check_keys(const io::TomlNode& root, Diagnostics& problems) {
  const std::vector<std::string> known{"name", "class", "summary", "container", "layers"};
  for (const auto& [key, node] : root.table) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    problems.add(fmt::format("a model file has no key '{}'", key), node.where,
                 did_you_mean(key, known));
  }
}

std::vector<LayerLine> read_layers(const io::TomlNode& root, Diagnostics& problems) {
  std::vector<LayerLine> layers;
  const io::TomlNode* list = root.find("layers");
  if (!list || list->items.empty() || list->items.size() > kMostLayers) {
    problems.add(fmt::format("layers must be a list of 1 to {} texts such as \"Linear(16, 5)\"",
                             kMostLayers),
                 list ? list->where : root.where);
    return layers;
  }
  for (const io::TomlNode& item : list->items) {
    const auto* text = item.value.get<std::string>();
    if (!text) {
      problems.add("a layer must be a text such as \"Linear(16, 5)\"", item.where);
      continue;
    }
    Location where = item.where;
    where.column += 1;  // after the quote
    try {
      layers.push_back({ops::parse_layer(*text, where), where});
    } catch (const Error& error) {
      problems.add(error.message(), error.where().empty() ? where : error.where(), error.hint());
    }
  }
  return layers;
}

bool is_path(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.'; });
}

// Whether images are rows already where this node reads them.
bool flattens_before(const ir::Graph& graph, std::string_view name) {
  for (const ir::Node& node : graph) {
    if (node.name == name) return false;
    if (node.op == "flatten" || node.op == "view" || node.op == "reshape") return true;
  }
  return false;
}

}  // namespace

ModelFile parse_model_file(std::string_view text, const std::string& file_name) {
  io::TomlNode root = io::parse_toml(text, file_name).or_throw();
  root.where = {.file = file_name};
  Diagnostics problems;
  check_keys(root, problems);
  ModelFile file;
  file.name = text_of(root, "name", std::filesystem::path(file_name).stem().string(), problems);
  file.class_name = text_of(root, "class", ir::vf(file.name), problems);
  file.summary = text_of(root, "summary", "", problems);
  file.container = text_of(root, "container", file.container, problems);
  if (!is_path(file.container)) {
    problems.add("container must consist of letters, digits, '_' and '.'",
                 root.find("container")->where);
  }
  file.layers = read_layers(root, problems);
  problems.throw_if_any();
  return file;
}

ModelFile load_model_file(const std::filesystem::path& path) {
  return parse_model_file(read_file(path, kLongestFile).or_throw(), path.string());
}

ir::Graph build(const ModelFile& file, const data::Info& info, std::uint64_t seed) {
  Builder builder(file.name, file.class_name, seed);
  for (std::size_t i = 0; i < file.layers.size(); ++i) {
    builder.layer(fmt::format("{}.{}", file.container, i), file.layers[i].layer,
                  file.layers[i].where);
  }
  ir::Graph graph = builder.finish();
  try {
    fit_to_data(graph, info);
  } catch (const Error& error) {
    // The nodes are x, one per layer, output.
    const std::string& node = error.where().node;
    std::size_t i = graph.find_node(node) ? graph.index_of(node) : file.layers.size();
    i = std::clamp<std::size_t>(i, 1, file.layers.size()) - 1;
    throw Error(error.kind(), error.message(), file.layers[i].where, error.hint());
  }
  return graph;
}

ir::Graph read_model_file(const std::filesystem::path& path, const data::Info& info,
                          std::uint64_t seed) {
  return build(load_model_file(path), info, seed);
}

void fit_to_data(ir::Graph& graph, const data::Info& info) {
  if (info.sample_shape.empty()) return;
  graph.node("x").type = ir::TensorType{info.sample_shape, ir::DType::Float32};
  constexpr std::int64_t kRows = 2;
  ir::Named<ops::ValueType> types;
  try {
    types = ops::infer_types(graph, kRows);
  } catch (const Error& error) {
    const bool image = info.sample_shape.size() > 1 && !flattens_before(graph, error.where().node);
    throw Error(error.kind(),
                fmt::format("{}: {} on a batch of {} from '{}'", graph.name, error.message(), kRows,
                            info.name),
                error.where(), image ? "a first layer \"Flatten()\" makes rows of images" : "");
  }
  const auto* result = std::get_if<ops::TensorType>(&types.back().second);
  const ir::Shape wanted{kRows, info.num_classes};
  if (result && (info.num_classes == 0 || result->shape == wanted)) return;
  usage_error(fmt::format("{}: the network gives {} for a batch of {}, but '{}' has {} classes",
                          graph.name, result ? ir::text(result->shape) : "no tensor", kRows,
                          info.name, info.num_classes),
              {.node = graph.output().inputs().empty() ? "" : graph.output().inputs()[0]});
}

}  // namespace mase::models
