// One layer called by itself gives what it gives inside its network.
#include "mase/engine/call_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mase/support/error.h"
#include "tests/engine/networks.h"

namespace mase::engine {
namespace {

using test::jsc_toy;
using test::quantised;
using test::random_tensor;

// The same kernels on the same bits: equal to the bit.
TEST(CallLayer, GivesWhatTheNetworkGives) {
  const ir::Tensor x = random_tensor({4, 16}, 1);
  for (const ir::Graph& graph : {jsc_toy(), quantised(jsc_toy(), "linear", 8, 4)}) {
    const auto program = choose(graph, "torch").engine->compile(graph);
    const auto results = program->capture_results({&x, 1}, Mode::Eval);
    ir::Tensor last = x;
    for (const ir::Node& node : graph) {
      if (node.kind != ir::NodeKind::CallModule) continue;
      last = call_layer(graph, node, last, "torch");
      EXPECT_EQ(last, *ir::find(results, node.name)->get<ir::Tensor>()) << node.name;
    }
  }
}

TEST(CallLayer, ShowsThatALayerIsQuantised) {
  const ir::Graph tiny = jsc_toy();
  const ir::Graph fixed = quantised(tiny, "linear", 8, 4);
  const ir::Tensor row = random_tensor({1, 16}, 2);
  const ir::Tensor before = call_layer(tiny, tiny.node("seq_blocks_2"), row);
  const ir::Tensor after = call_layer(fixed, fixed.node("seq_blocks_2"), row);
  EXPECT_EQ(after.shape(), (ir::Shape{1, 8}));
  // Inputs, weights and biases are multiples of 1/16: so are the sums, of 1/256.
  for (const float v : after.floats()) EXPECT_EQ(v * 256, std::nearbyint(v * 256));
  EXPECT_NE(before, after);
}

TEST(CallLayer, ReadsAsManyTensorsAsTheNode) {
  ir::Graph graph = test::with_input();
  graph.add({.name = "add",
             .kind = ir::NodeKind::CallFunction,
             .op = "add",
             .target = "operator.add",
             .args = {ir::NodeRef{"x"}, 2}});
  test::finish(graph, "add");
  const ir::Tensor x = random_tensor({2, 3}, 3);
  const ir::Tensor sum = call_layer(graph, graph.node("add"), x);
  for (std::int64_t i = 0; i < 6; ++i) EXPECT_EQ(sum.at(i), static_cast<float>(x.at(i)) + 2.0f);
}

TEST(CallLayer, SaysWhatDoesNotFit) {
  const ir::Graph graph = jsc_toy();
  const ir::Tensor x = random_tensor({2, 15}, 4);
  const auto message = [&](const std::string& node, std::span<const ir::Tensor> inputs) {
    try {
      call_layer(graph, graph.node(node), inputs);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Usage);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message("x", {}), testing::HasSubstr("x is of kind placeholder"));
  EXPECT_THAT(message("seq_blocks_2", {}), testing::HasSubstr("reads 1 tensor(s), 0 given"));
  EXPECT_THAT(message("seq_blocks_2", {&x, 1}), testing::HasSubstr("16"));
}

}  // namespace
}  // namespace mase::engine
