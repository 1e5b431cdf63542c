#include "mase/ir/verify.h"

#include <gtest/gtest.h>

namespace mase::ir {
namespace {

Graph fine() {
  Graph graph("net", "Net");
  graph.add({.name = "x", .kind = NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  graph.add({.kind = NodeKind::CallModule, .op = "relu", .target = "r", .args = {NodeRef{"x"}}});
  graph.add({.name = "output",
             .kind = NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {NodeRef{"r"}}});
  graph.add_parameter({.name = "w", .value = Tensor({2}, DType::Float32)});
  return graph;
}

std::string problems(const Graph& graph) {
  std::string out;
  for (const Problem& problem : verify_structure(graph)) out += problem.text() + "\n";
  return out;
}

TEST(Verify, AFineGraphHasNoProblems) {
  EXPECT_EQ(problems(fine()), "");
}

TEST(Verify, NamesAreUniqueAndNames) {
  Graph graph = fine();
  graph.nodes_mut()[1].name = "x";
  graph.nodes_mut()[2].args = {NodeRef{"x"}};
  EXPECT_EQ(problems(graph), "node x: the name is taken\n");
  graph.nodes_mut()[1].name = "a.b";
  EXPECT_EQ(problems(graph), "node a.b: 'a.b' is no name\n");
}

TEST(Verify, NodesReadWhatIsComputedBefore) {
  Graph graph = fine();
  graph.nodes_mut()[1].args = {Tuple{{1, NodeRef{"r"}}}};
  EXPECT_EQ(problems(graph), "node r: reads 'r', which is not computed before it\n");
}

TEST(Verify, OneOutputAtTheEnd) {
  Graph graph = fine();
  std::swap(graph.nodes_mut()[1], graph.nodes_mut()[2]);
  EXPECT_EQ(problems(graph),
            "node output: reads 'r', which is not computed before it\n"
            "node output: nodes come after the output\n");
  graph = fine();
  graph.nodes_mut().push_back(graph.nodes()[2]);
  graph.nodes_mut()[3].name = "output_1";
  EXPECT_EQ(problems(graph),
            "node output: nodes come after the output\n"
            "node output_1: there is another output before it\n");
  graph = fine();
  graph.nodes_mut().pop_back();
  EXPECT_EQ(problems(graph), "the graph has no output\n");
}

TEST(Verify, ParametersExistOnceAndHaveValues) {
  Graph graph = fine();
  graph.parameters_mut().push_back({.name = "w", .value = {}});
  EXPECT_EQ(problems(graph), "there are two parameters 'w'\nthe parameter 'w' has no value\n");
  graph = fine();
  graph.insert_before("r", {.kind = NodeKind::GetAttr, .op = "get_attr", .target = "v"});
  EXPECT_EQ(problems(graph), "node v: the graph has no parameter 'v'\n");
}

}  // namespace
}  // namespace mase::ir
