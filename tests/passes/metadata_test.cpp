// The metadata passes, against what the original records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mase/ops/op.h"
#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/passes/analysis/add_software_metadata.h"
#include "mase/passes/analysis/init_metadata.h"
#include "tests/passes/networks.h"
#include "tests/passes/vectors.h"

namespace mase::passes {
namespace {

using ir::NodeRef;
using testing::HasSubstr;

ir::Named<ir::Tensor> ones(ir::Shape shape) {
  ir::Tensor x(std::move(shape), ir::DType::Float32);
  for (float& v : x.values_mut<float>()) v = 1;
  return {{"x", x}};
}

// The net of the vectors that calls functions and methods.
ir::Graph function_net() {
  ir::Graph graph("fnnet", "FnNet");
  Random random(0);
  const auto call = [&](ir::NodeKind kind, const char* op, const char* target,
                        std::vector<ir::Value> args, ir::Dict kwargs = {}) {
    graph.add({.name = op,
               .kind = kind,
               .op = op,
               .target = target,
               .args = std::move(args),
               .kwargs = std::move(kwargs)});
  };
  const auto layer = [&](const char* path, const char* text, const char* input) {
    const ops::LayerText read = ops::parse_layer(text);
    ops::add_layer(graph, *read.op, read.attributes, path, input, random);
  };
  const auto function = ir::NodeKind::CallFunction;
  const auto method = ir::NodeKind::CallMethod;
  graph.add({.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  call(method, "size", "size", {NodeRef{"x"}, 0});
  call(function, "flatten", "torch.flatten", {NodeRef{"x"}}, {{"start_dim", 1}});
  layer("fc1", "Linear(12, 8)", "flatten");
  layer("act", "ReLU(inplace=True)", "fc1");
  layer("fc2", "Linear(8, 8)", "act");
  call(function, "add", "operator.add", {NodeRef{"act"}, NodeRef{"fc2"}});
  call(function, "relu", "torch.nn.functional.relu", {NodeRef{"add"}}, {{"inplace", false}});
  call(function, "mul", "operator.mul", {NodeRef{"relu"}, NodeRef{"relu"}});
  call(function, "sub", "operator.sub", {NodeRef{"mul"}, NodeRef{"fc2"}});
  call(function, "add", "operator.add", {NodeRef{"sub"}, 2});
  call(method, "view", "view", {NodeRef{"add_1"}, NodeRef{"size"}, 2, 4});
  call(method, "view", "view", {NodeRef{"view"}, NodeRef{"size"}, 8});
  layer("fc3", "Linear(8, 3)", "view_1");
  graph.add({.name = "output",
             .kind = ir::NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {NodeRef{"fc3"}}});
  return graph;
}

// The original stores what an in-place ReLU left behind; ours is what it read.
bool is_overwritten(const std::string& node, const std::string& entry) {
  return (node == "fc1" && entry == "data_out_0") || (node == "act" && entry == "data_in_0");
}

void expect_value(const ir::Value& ours, const ir::Tensor& theirs, bool rectified,
                  const std::string& what) {
  const auto* tensor = ours.get<ir::Tensor>();
  ASSERT_NE(tensor, nullptr) << what;
  ASSERT_EQ(tensor->shape(), theirs.shape()) << what;
  for (std::int64_t i = 0; i < tensor->size(); ++i) {
    const double value = rectified ? std::max(0.0, tensor->at(i)) : tensor->at(i);
    EXPECT_NEAR(value, theirs.at(i), 1e-6 * std::max(1.0, std::abs(value))) << what << " " << i;
  }
}

void expect_entries(const std::string& node, const ir::Named<ir::ArgumentMeta>& ours,
                    const nlohmann::ordered_json& theirs, const io::NpzReader& arrays) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : ours) names.push_back(name);
  std::vector<std::string> expected_names;
  for (const auto& [name, expected] : theirs.items()) expected_names.push_back(name);
  EXPECT_EQ(names, expected_names) << node;
  for (const auto& [name, entry] : ours) {
    if (!theirs.contains(name)) continue;
    nlohmann::ordered_json expected = theirs[name];
    ir::ArgumentMeta without_value = entry;
    if (expected.is_object() && expected.contains("value")) {
      const std::string what = node + "." + name;
      if (expected["value"].is_string()) {
        const ir::Tensor value = arrays.read(expected["value"].get<std::string>()).or_throw();
        expect_value(entry.value, value, is_overwritten(node, name), what);
      } else {
        EXPECT_EQ(ir::to_json(entry.value), expected["value"]) << what;
      }
      expected.erase("value");
      without_value.value = ir::None{};
    }
    // Compared without the order of keys: entries of arguments and results differ in it.
    EXPECT_EQ(nlohmann::json(ir::to_json(without_value.to_value())), nlohmann::json(expected))
        << node << "." << name;
  }
}

void check_function_net(const std::string& which, engine::Mode mode) {
  const auto vectors = read_vectors()["common_metadata"][which];
  const io::NpzReader arrays = open_vector_arrays();
  ir::Graph graph = function_net();
  load_state(graph, arrays, "fnnet.state.");
  const auto x = arrays.read("meta." + which + ".x.results.data_out_0.value").or_throw();
  const ir::Graph before = graph;
  graph = add_metadata(std::move(graph), {{"x", x}}, {.mode = mode});
  ASSERT_EQ(graph.nodes().size(), vectors["nodes"].size());
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::Node& node = graph.nodes()[i];
    const auto& expected = vectors["nodes"][i];
    EXPECT_EQ(node.name, expected["name"].get<std::string>());
    EXPECT_EQ(ir::mase_type(node), expected["mase_type"].get<std::string>()) << node.name;
    EXPECT_EQ(ir::mase_op(node), expected["mase_op"].get<std::string>()) << node.name;
    expect_entries(node.name, node.meta.common->args, expected["args"], arrays);
    expect_entries(node.name, node.meta.common->results, expected["results"], arrays);
    for (const char* part : {"args", "results"}) {
      std::vector<std::string> ours;
      const bool args = std::string(part) == "args";
      for (const auto& [name, entry] :
           args ? node.meta.software->args : node.meta.software->results) {
        ours.push_back(name);
      }
      std::vector<std::string> theirs;
      for (const auto& [name, entry] : expected["software"][part].items()) theirs.push_back(name);
      EXPECT_EQ(ours, theirs) << node.name << " software " << part;
    }
  }
  nlohmann::json common = ir::to_json(*ir::find(graph.meta, "common"));
  common["args"]["data_in_0"].erase("value");
  common["results"]["data_out_0"].erase("value");
  EXPECT_EQ(common, nlohmann::json(vectors["graph_common"]));
  EXPECT_EQ(graph.state(), before.state());
}

TEST(Metadata, OfFunctionsAndMethodsEqualsTheOriginalsInEvalMode) {
  MASE_NEEDS_SHARED_DATA(kVectors);
  check_function_net("fnnet_eval", engine::Mode::Eval);
}

TEST(Metadata, OfFunctionsAndMethodsEqualsTheOriginalsInTrainingMode) {
  MASE_NEEDS_SHARED_DATA(kVectors);
  check_function_net("fnnet_train", engine::Mode::Train);
}

// common.args of jsc-tiny as a user's report prints them (batch of 8, no values).
TEST(Metadata, OfJscTinyIsWhatAUserSaw) {
  const ir::Graph graph = add_metadata(jsc_tiny(), ones({8, 16}), {.add_value = false});
  const std::string data =
      "{'shape': [8, 16], 'torch_dtype': torch.float32, "
      "'type': 'float', 'precision': [32]}";
  const auto args = [&](const char* node) {
    return ir::repr(*graph.node(node).meta.common->to_value().find("args"));
  };
  EXPECT_EQ(args("x"), "{}");
  EXPECT_EQ(args("seq_blocks_0"),
            "{'data_in_0': " + data +
                ", 'weight': {'type': 'float', 'precision': [32], 'shape': [16], 'from': None}"
                ", 'bias': {'type': 'float', 'precision': [32], 'shape': [16], 'from': None}}");
  EXPECT_EQ(args("seq_blocks_1"), "{'data_in_0': " + data + "}");
  EXPECT_EQ(args("output"), "{}");
}

TEST(Metadata, ShowsTheFormatsOfAQuantisedGraph) {
  ir::Graph graph = jsc_tiny();
  graph.node("seq_blocks_1").precision = {{"data_in_0", numerics::integer(16, 8)}};
  graph = add_metadata(std::move(graph), ones({8, 16}), {.add_value = false});
  const ir::ArgumentMeta& entry = graph.node("seq_blocks_1").meta.common->args[0].second;
  EXPECT_EQ(entry.type, "integer");
  EXPECT_EQ(ir::repr(entry.precision), "[16, 8]");
  EXPECT_EQ(graph.node("seq_blocks_3").meta.common->args[0].second.type, "float");
}

TEST(Metadata, AMissingInputIsNamed) {
  try {
    add_common_metadata(jsc_tiny(), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("no value is given for the input 'x'"));
  }
}

TEST(Metadata, AnUnknownInputIsNamedWithTheNearest) {
  const ir::Graph graph = jsc_tiny();
  try {
    add_common_metadata(graph, {{"X", ones({8, 16})[0].second}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no placeholder 'X' (did you mean 'x'?)"));
  }
}

TEST(Metadata, ShapesThatDoNotFitAreRefusedAtTheNode) {
  try {
    add_common_metadata(jsc_tiny(), ones({8, 15}), {.add_value = false});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.where().node, "seq_blocks_0");
  }
}

TEST(Metadata, PassesNeedEachOther) {
  Context context{.dummy_input = ones({2, 16})};
  const ir::Graph bare = jsc_tiny();
  EXPECT_THROW(run_pass(kAddCommonMetadata, bare, Options(), context), Error);
  EXPECT_THROW(run_pass(kAddSoftwareMetadata, init_metadata(bare), Options(), context), Error);
  EXPECT_TRUE(kInitMetadata.done(init_metadata(bare)));
  const ir::Graph common = add_common_metadata(init_metadata(bare), ones({2, 16}));
  EXPECT_TRUE(kAddCommonMetadata.done(common));
  EXPECT_FALSE(kAddSoftwareMetadata.done(common));
  EXPECT_TRUE(kAddSoftwareMetadata.done(add_software_metadata(common)));
}

}  // namespace
}  // namespace mase::passes
