#include "mase/ops/verify.h"

#include <gtest/gtest.h>

#include "mase/ops/op.h"

namespace mase::ops {
namespace {

ir::Graph fine() {
  ir::Graph graph("net", "Net");
  Random random(0);
  graph.add({.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  add_layer(graph, *find_layer("Linear"), {{"in_features", 3}, {"out_features", 2}}, "l", "x",
            random);
  graph.add({.kind = ir::NodeKind::CallFunction,
             .op = "relu",
             .target = "torch.relu",
             .args = {ir::NodeRef{"l"}}});
  graph.add({.name = "output",
             .kind = ir::NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {ir::NodeRef{"relu"}}});
  return graph;
}

std::string problems(const ir::Graph& graph) {
  std::string out;
  for (const Problem& problem : verify(graph)) out += problem.text() + "\n";
  return out;
}

TEST(VerifyOps, AFineGraphHasNoProblems) {
  EXPECT_EQ(problems(fine()), "");
  EXPECT_NO_THROW(check(fine(), "a test"));
}

TEST(VerifyOps, WhatNodesReadMustFitWhereTheInputIsTyped) {
  ir::Graph graph = fine();
  graph.node("x").type = ir::TensorType{{3}, ir::DType::Float32};
  EXPECT_EQ(problems(graph), "");
  graph.node("x").type->shape = {4};
  EXPECT_NE(problems(graph).find("node l: "), std::string::npos) << problems(graph);
}

TEST(VerifyOps, TypesAreOfInputsAndOfThisWorld) {
  ir::Graph graph = fine();
  graph.node("l").type = ir::TensorType{{2}, ir::DType::Float32};
  EXPECT_EQ(problems(graph), "node l: only inputs are typed, results follow from them\n");
  for (const ir::Shape& shape :
       {ir::Shape{-1}, ir::Shape{std::int64_t{1} << 40, 0}, ir::Shape{std::int64_t{1} << 30, 3}}) {
    graph = fine();
    graph.node("x").type = ir::TensorType{shape, ir::DType::Float32};
    EXPECT_NE(problems(graph).find("node x: no sample has the shape"), std::string::npos);
  }
}

TEST(VerifyOps, OpsMustBeKnownAndCalledTheirWay) {
  ir::Graph graph = fine();
  graph.node("l").op = "linaer";
  EXPECT_EQ(problems(graph), "node l: there is no op 'linaer'; did you mean 'linear'?\n");
  graph = fine();
  graph.node("relu").target = "torch.tanh";
  EXPECT_EQ(problems(graph), "node relu: relu is not called as call_function 'torch.tanh'\n");
}

TEST(VerifyOps, LayersHaveTheirAttributesAndParameters) {
  ir::Graph graph = fine();
  graph.node("l").attributes.pop_back();
  EXPECT_EQ(problems(graph), "node l: its attributes are incomplete or out of order\n");
  graph = fine();
  graph.node("l").attributes[0].second = 0;
  EXPECT_EQ(problems(graph),
            "node l: in_features must be a whole number from 1 to 16777216, not 0\n");
  graph = fine();
  graph.find_parameter("l.bias")->name = "l.bais";
  EXPECT_EQ(problems(graph), "node l: has no bias\n");
  graph = fine();
  graph.find_parameter("l.weight")->value = ir::Tensor({3, 2}, ir::DType::Float32);
  EXPECT_EQ(problems(graph),
            "node l: its weight is a parameter float32 [3, 2], not a parameter float32 [2, 3]\n");
}

TEST(VerifyOps, OnlyQuantisableArgumentsCarryAFormat) {
  ir::Graph graph = fine();
  graph.node("relu").precision = {{"weight", numerics::integer(8, 4)}};
  EXPECT_EQ(problems(graph), "node relu: the argument 'weight' of relu cannot be quantised\n");
  try {
    check(graph, "pass quantize");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::CheckFailed);
    EXPECT_STREQ(
        error.what(),
        "node relu: after pass quantize: the argument 'weight' of relu cannot be quantised");
  }
}

}  // namespace
}  // namespace mase::ops
