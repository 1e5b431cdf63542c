// Names of nodes, as torch.fx gives them.
#include "mase/ir/names.h"

#include <gtest/gtest.h>

namespace mase::ir {
namespace {

std::string named(const std::vector<std::string>& wanted) {
  Graph graph;
  std::string out;
  for (const std::string& name : wanted) {
    out += graph.add({.name = name, .kind = NodeKind::CallMethod, .target = name}).name + " ";
  }
  return out;
}

TEST(Names, CountOnAsInTorchFx) {
  EXPECT_EQ(named({"add", "add", "add"}), "add add_1 add_2 ");
  EXPECT_EQ(named({"x_1", "x_1", "x"}), "x_1 x_2 x ");
  EXPECT_EQ(named({"seq_blocks_10", "seq_blocks", "seq_blocks"}),
            "seq_blocks_10 seq_blocks seq_blocks_1 ");
  EXPECT_EQ(named({"a_007"}), "a_7 ");
}

TEST(Names, AreCleaned) {
  EXPECT_EQ(named({"layer1.0.conv1", "a..b", "a_.b", "0.w", "", "..."}),
            "layer1_0_conv1 a_b a__b _0_w _unnamed _ ");
}

TEST(Names, AvoidPython) {
  EXPECT_EQ(named({"max", "getattr", "lambda", "input", "torch", "None"}),
            "max_1 getattr_1 lambda_1 input_1 torch_1 None_1 ");
  EXPECT_EQ(named({"max", "max"}), "max_1 max_2 ");
  EXPECT_EQ(named({"relu", "add", "size", "view"}), "relu add size view ");
}

TEST(Names, ComeFromTheTarget) {
  const auto name = [](NodeKind kind, std::string target) {
    return default_name({.kind = kind, .target = std::move(target)});
  };
  EXPECT_EQ(name(NodeKind::CallFunction, "torch.nn.functional.relu"), "relu");
  EXPECT_EQ(name(NodeKind::CallModule, "seq_blocks.2"), "seq_blocks.2");
  EXPECT_EQ(name(NodeKind::CallModule, "myLayer.convA"), "my_layer.conv_a");
  EXPECT_EQ(name(NodeKind::CallMethod, "__iadd__"), "iadd");
}

}  // namespace
}  // namespace mase::ir
