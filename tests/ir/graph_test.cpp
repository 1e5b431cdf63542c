#include "mase/ir/graph.h"

#include <gtest/gtest.h>

#include "mase/support/error.h"

namespace mase::ir {
namespace {

Graph small() {
  Graph graph("net", "Net");
  graph.add({.name = "x", .kind = NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  graph.add(
      {.kind = NodeKind::CallModule, .op = "relu", .target = "blocks.0", .args = {NodeRef{"x"}}});
  graph.add({.name = "add",
             .kind = NodeKind::CallFunction,
             .op = "add",
             .target = "operator.add",
             .args = {NodeRef{"blocks_0"}, 2}});
  graph.add({.name = "output",
             .kind = NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {NodeRef{"add"}}});
  return graph;
}

TEST(Graph, PrintsAsTorchFx) {
  EXPECT_EQ(
      print(small()),
      "graph():\n"
      "    %x : [num_users=1] = placeholder[target=x]\n"
      "    %blocks_0 : [num_users=1] = call_module[target=blocks.0](args = (%x,), kwargs = {})\n"
      "    %add : [num_users=1] = call_function[target=operator.add](args = (%blocks_0, 2), "
      "kwargs = {})\n"
      "    return add");
}

TEST(Graph, NamesAreUniqueAndClean) {
  Graph graph = small();
  EXPECT_EQ(graph.unique_name("add"), "add_1");
  EXPECT_EQ(graph.unique_name("layer1.0.conv1"), "layer1_0_conv1");
  EXPECT_EQ(graph.unique_name("0.a"), "_0_a");
  EXPECT_EQ(graph.unique_name("getattr"), "getattr_1");
}

TEST(Graph, ErasingANodeThatIsReadIsRefused) {
  Graph graph = small();
  EXPECT_THROW(graph.erase("add"), Error);
  graph.replace_uses("add", "blocks_0");
  graph.erase("add");
  EXPECT_EQ(graph.users("blocks_0"), std::vector<std::string>{"output"});
}

TEST(Graph, CopiesShareBytesUntilOneIsWritten) {
  Graph a = small();
  a.add_parameter({.name = "w", .value = Tensor({2}, DType::Float32)});
  Graph b = a;
  EXPECT_EQ(a.find_parameter("w")->value.data(), b.find_parameter("w")->value.data());
  b.find_parameter("w")->value.values_mut<float>()[0] = 3;
  EXPECT_EQ(a.find_parameter("w")->value.at(0), 0);
  EXPECT_EQ(b.find_parameter("w")->value.at(0), 3);
}

TEST(Value, PrintsAsPython) {
  EXPECT_EQ(repr(Value(1e-5)), "1e-05");
  EXPECT_EQ(repr(Value(640.0)), "640.0");
  EXPECT_EQ(repr(Value(0.1)), "0.1");
  EXPECT_EQ(repr(Value(1e16)), "1e+16");
  EXPECT_EQ(repr(Value(Dict{{"a", List{1, None{}}}, {"b", Tuple{{true}}}})),
            "{'a': [1, None], 'b': (True,)}");
}

}  // namespace
}  // namespace mase::ir
