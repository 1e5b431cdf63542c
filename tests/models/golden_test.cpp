// Graph texts, parameter names and initial parameters equal those of the original.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "../shared_data.h"
#include "infos.h"
#include "mase/io/arrays/npz.h"
#include "mase/models/model.h"
#include "mase/ops/op.h"

namespace mase::models {
namespace {

std::filesystem::path vectors() {
  return "mase_runs/vectors";
}

std::string slurp(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

nlohmann::json json(const std::filesystem::path& path) {
  return nlohmann::json::parse(slurp(path));
}

data::Info info_of(std::string_view data) {
  if (data == "jsc") return jsc_info();
  if (data == "mnist") return mnist_info();
  return data == "cifar10" ? cifar10_info() : toy_tiny_info();
}

// The three parts of report_graph.
std::string report(const ir::Graph& graph) {
  const std::vector<std::string_view> kinds{"placeholder", "get_attr",    "call_function",
                                            "call_method", "call_module", "output"};
  std::string counts;
  std::string layers;
  for (std::string_view kind : kinds) {
    int count = 0;
    for (const ir::Node& node : graph) count += ir::name(node.kind) == kind ? 1 : 0;
    counts += (counts.empty() ? "'" : ", '") + std::string(kind) + "': " + std::to_string(count);
  }
  for (const ir::Node& node : graph) {
    if (node.kind != ir::NodeKind::CallModule) continue;
    layers += (layers.empty() ? "" : ", ") + ops::print_layer(node);
  }
  return ir::print(graph) + "\nNetwork overview:\n{" + counts + "}\nLayer types:\n[" + layers +
         "]\n";
}

// `pair` names the network and the data it is for: "jsc-tiny__jsc".
void expect_original(const ir::Graph& graph, const std::string& pair) {
  const auto text_file = vectors() / "graphs" / (pair + ".report_graph.txt");
  EXPECT_EQ(report(graph), slurp(shared_data() / text_file));

  const nlohmann::json golden = json(shared_data() / vectors() / "graphs" / (pair + ".json"));
  EXPECT_EQ(graph.parameter_count(), golden["parameters"].get<std::int64_t>());
  std::vector<std::string> state;
  for (const auto& [name, tensor] : graph.state())
    state.push_back(name + " " + ir::text(tensor.shape()));
  EXPECT_EQ(state, golden["state_dict"].get<std::vector<std::string>>());

  const data::Info info = info_of(pair.substr(pair.find("__") + 2));
  ir::Shape shape{golden["batch"].get<std::int64_t>()};
  shape.insert(shape.end(), info.sample_shape.begin(), info.sample_shape.end());
  const auto types = ops::infer_types(graph, {{"x", ops::TensorType{shape, ir::DType::Float32}}});
  ASSERT_EQ(types.size(), golden["nodes"].size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    const nlohmann::json& node = golden["nodes"][i];
    EXPECT_EQ(graph.nodes()[i].name, node["name"].get<std::string>());
    if (node.value("mase_type", nlohmann::json()).is_string()) {
      EXPECT_EQ(ops::name(ops::kind_of(graph.nodes()[i])), node["mase_type"].get<std::string>());
      EXPECT_EQ(graph.nodes()[i].op, node["mase_op"].get<std::string>());
    }
    const auto* tensor = std::get_if<ops::TensorType>(&types[i].second);
    if (tensor) {
      EXPECT_EQ(tensor->shape, node["out"].get<ir::Shape>()) << node["name"];
    } else {
      EXPECT_EQ(node["op"], "call_method");
    }
  }
}

class OriginalGraph : public testing::TestWithParam<const char*> {};

TEST_P(OriginalGraph, HasTheSameTextNodesAndParameters) {
  const std::string pair = GetParam();
  const std::string model = pair.substr(0, pair.find("__"));
  MASE_NEEDS_SHARED_DATA(vectors() / "graphs" / (pair + ".report_graph.txt"));
  expect_original(build(model, info_of(pair.substr(pair.find("__") + 2))), pair);
}

INSTANTIATE_TEST_SUITE_P(Vectors, OriginalGraph,
                         testing::Values("jsc-tiny__jsc", "jsc-toy__jsc", "jsc-s__jsc",
                                         "lfc__mnist", "toy__toy_tiny", "toy__cifar10",
                                         "toy_tiny__toy_tiny"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// The original's small network of convolutions over images and sequences, for images of three
// channels.
ir::Graph toy_convnet(std::uint64_t seed) {
  ir::Graph graph("toy_convnet", "ToyConvNet");
  Random random(seed);
  std::string last =
      graph
          .add({.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"})
          .name;
  const auto layer = [&](const std::string& path, std::string_view text) {
    const ops::LayerText parsed = ops::parse_layer(text);
    last = ops::add_layer(graph, *parsed.op, parsed.attributes, path, last, random).name;
  };
  const auto view = [&](std::vector<ir::Value> sizes) {
    const auto method = [&](const char* name, const std::vector<ir::Value>& args) {
      return graph.add({.kind = ir::NodeKind::CallMethod, .op = name, .target = name, .args = args})
          .name;
    };
    const std::string rows = method("size", {ir::NodeRef{last}, 0});
    sizes.insert(sizes.begin(), {ir::NodeRef{last}, ir::NodeRef{rows}});
    last = method("view", sizes);
  };
  const std::pair<const char*, const char*> blocks[] = {{"block_1", "Conv2d(3, 8, 3, 1, 1)"},
                                                        {"block_2", "Conv2d(8, 16, 3, 1, 1)"},
                                                        {"block_3", "Conv1d(16, 32, 3, 1, 1)"},
                                                        {"block_4", "Conv1d(32, 64, 3, 1, 1)"}};
  for (const auto& [path, convolution] : blocks) {
    layer(std::string(path) + ".0", convolution);
    layer(std::string(path) + ".1", "ReLU()");
    if (path == blocks[0].first) layer("maxpool", "MaxPool2d(2)");
    if (path == blocks[1].first) view({16, -1});
  }
  layer("avgpool", "AdaptiveAvgPool1d(1)");
  view({-1});
  layer("linear", "Linear(64, 10)");
  graph.add({.name = "output",
             .kind = ir::NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {ir::NodeRef{last}}});
  return graph;
}

TEST(Golden, ConvolutionsPrintAndBeginAsTheOriginals) {
  MASE_NEEDS_SHARED_DATA(vectors() / "train.npz");
  const ir::Graph graph = toy_convnet(0);
  expect_original(graph, "toy_convnet__cifar10");
  const auto arrays = io::read_npz(shared_data() / vectors() / "train.npz").or_throw();
  for (const auto& entry : json(shared_data() / vectors() / "train.json")["init"]) {
    if (entry["model"] != "toy_convnet") continue;
    for (const auto& [name, key] : entry["state"].items()) {
      EXPECT_TRUE(graph.find_parameter(name)->value == *ir::find(arrays, key.get<std::string>()))
          << name;
    }
  }
}

TEST(Golden, TheReportsOwnNetworkPrintsTheSame) {
  const std::filesystem::path file = "../reference/golden.json";
  MASE_NEEDS_SHARED_DATA(file);
  const nlohmann::json golden = json(shared_data() / file)["report_graph"];
  const std::vector<std::pair<std::string, std::string>> cases{
      {"jsc-tiny", "jsc-tiny"}, {"jsc-toy", "jsc-toy"}, {"student-10x (seed 000)", "jsc-10x"}};
  for (const auto& [key, model] : cases) {
    const nlohmann::json& entry = golden[key];
    const std::string text =
        entry.is_string() ? entry.get<std::string>() : entry["text"].get<std::string>();
    std::string ours = report(build(model, jsc_info()));
    if (!text.ends_with("\n")) ours.pop_back();
    EXPECT_EQ(ours, text);
  }
}

// Fresh parameters after torch.manual_seed(seed), bit for bit.
TEST(Golden, InitialParametersAreThoseOfTheOriginal) {
  MASE_NEEDS_SHARED_DATA(vectors() / "train.npz");
  const nlohmann::json golden = json(shared_data() / vectors() / "train.json")["init"];
  const auto arrays = io::read_npz(shared_data() / vectors() / "train.npz").or_throw();
  int compared = 0;
  for (const nlohmann::json& entry : golden) {
    const std::string model = entry["model"];
    if (!find_model(model)) continue;
    const data::Info info = model.starts_with("jsc") ? jsc_info() : toy_tiny_info();
    const auto seed = entry["torch_manual_seed"].get<std::uint64_t>();
    const ir::Graph graph = find_model(model)->build(info, seed);
    for (const auto& [name, key] : entry["state"].items()) {
      const ir::Tensor* wanted = ir::find(arrays, key.get<std::string>());
      ASSERT_NE(wanted, nullptr) << key;
      ASSERT_NE(graph.find_parameter(name), nullptr) << name;
      EXPECT_TRUE(graph.find_parameter(name)->value == *wanted)
          << model << " " << seed << " " << name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 70);
}

}  // namespace
}  // namespace mase::models
