// Initial weights equal PyTorch's bit for bit.
#include <gtest/gtest.h>

#include <vector>

#include "mase/ops/op.h"

namespace mase::ops {
namespace {

ir::Graph two_layers(std::uint64_t seed) {
  ir::Graph graph("net", "Net");
  graph.add({.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  Random random(seed);
  add_layer(graph, *find_layer("BatchNorm1d"), {{"num_features", 3}}, "a", "x", random);
  add_layer(graph, *find_layer("Linear"), {{"in_features", 3}, {"out_features", 2}}, "b", "a",
            random);
  return graph;
}

TEST(Init, StateDictionaryIsInPyTorchOrder) {
  const ir::Graph graph = two_layers(0);
  std::vector<std::string> names;
  for (const ir::Parameter& parameter : graph.parameters()) names.push_back(parameter.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"a.weight", "a.bias", "a.running_mean", "a.running_var",
                                      "a.num_batches_tracked", "b.weight", "b.bias"}));
  EXPECT_EQ(graph.parameter_count(), 6 + 8);
  EXPECT_EQ(graph.find_parameter("a.weight")->value.floats(), std::vector<float>(3, 1.0f));
  EXPECT_EQ(graph.find_parameter("a.running_var")->value.floats(), std::vector<float>(3, 1.0f));
  EXPECT_EQ(graph.find_parameter("a.running_mean")->value.floats(), std::vector<float>(3, 0.0f));
  EXPECT_EQ(graph.find_parameter("a.num_batches_tracked")->value.dtype(), ir::DType::Int64);
  EXPECT_TRUE(graph.find_parameter("a.running_var")->is_buffer);
  EXPECT_EQ(graph.find_node("a")->attributes.size(), 6u);
}

TEST(Init, SeedsDecide) {
  EXPECT_EQ(two_layers(5).find_parameter("b.weight")->value,
            two_layers(5).find_parameter("b.weight")->value);
  EXPECT_FALSE(two_layers(5).find_parameter("b.weight")->value ==
               two_layers(6).find_parameter("b.weight")->value);
}

TEST(Init, TooLargeALayerIsRefusedBeforeItIsAllocated) {
  ir::Graph graph("net", "Net");
  Random random(0);
  EXPECT_THROW(add_layer(graph, *find_layer("Linear"),
                         {{"in_features", 1 << 24}, {"out_features", 1 << 24}}, "a", "x", random),
               Error);
}

}  // namespace
}  // namespace mase::ops
