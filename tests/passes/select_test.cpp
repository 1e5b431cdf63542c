#include "mase/passes/select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mase::passes {
namespace {

using testing::ElementsAre;

// x, linear a_1, relu a_2, linear a_3, output.
ir::Graph example() {
  ir::Graph graph("example", "Example");
  graph.add({.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  std::string input = "x";
  for (const char* op : {"linear", "relu", "linear"}) {
    ir::Node node{.name = "a", .op = op, .target = "a", .args = {ir::NodeRef{input}}};
    node.name = "a_" + std::to_string(graph.nodes().size());
    node.target = node.name;
    input = graph.add(node).name;
  }
  graph.add({.name = "output",
             .kind = ir::NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {ir::NodeRef{input}}});
  return graph;
}

std::string only_relu(const ir::Node& node) {
  return node.op == "relu" ? "" : "cannot be used";
}

struct Outcome {
  Selection selection;
  std::vector<std::string> problems;
};

Outcome select(By by, const std::vector<Rule>& rules, const WhyNot& why_not = {}) {
  Diagnostics diagnostics;
  Outcome outcome{select_nodes(example(), by, rules, diagnostics, why_not), {}};
  for (const Problem& problem : diagnostics.problems()) outcome.problems.push_back(problem.text());
  return outcome;
}

TEST(Select, ByType) {
  const Outcome outcome = select(By::Type, {{"relu"}, {"linear"}});
  EXPECT_THAT(outcome.selection.rule_of_node, ElementsAre(-1, 1, 0, 1, -1));
  EXPECT_THAT(outcome.selection.hits[1].nodes, ElementsAre("a_1", "a_3"));
  EXPECT_TRUE(outcome.problems.empty());
}

TEST(Select, ByNameTellsTheNearest) {
  const Outcome outcome = select(By::Name, {{"a_1"}, {"b_3"}});
  EXPECT_THAT(outcome.selection.rule_of_node, ElementsAre(-1, 0, -1, -1, -1));
  ASSERT_EQ(outcome.problems.size(), 1u);
  EXPECT_THAT(outcome.problems[0],
              testing::StartsWith("no node has the name 'b_3'; did you mean 'a_3'"));
}

TEST(Select, ByPatternTheFirstThatMatchesTheWholeNameWins) {
  const Outcome outcome = select(By::RegexName, {{"a_[12]"}, {"a_.*"}});
  EXPECT_THAT(outcome.selection.rule_of_node, ElementsAre(-1, 0, 0, 1, -1));
}

TEST(Select, ARuleWithoutNodesIsAProblemUnlessOptional) {
  EXPECT_THAT(
      select(By::Type, {{"conv2d"}}).problems,
      ElementsAre("no node has the op 'conv2d'; there are placeholder, linear, relu, output"));
  EXPECT_TRUE(select(By::Type, {{.key = "conv2d", .optional = true}}).problems.empty());
}

TEST(Select, SaysWhyANodeWasRefused) {
  EXPECT_THAT(select(By::Type, {{"linear"}}, only_relu).problems,
              ElementsAre("'linear' selects no node: a_1 cannot be used; "
                          "leave the rule out, or set optional = true in it"));
}

TEST(Select, SaysThatAnEarlierRuleTookTheNodes) {
  EXPECT_THAT(select(By::RegexName, {{"a_.*"}, {"a_1"}}).problems,
              ElementsAre("'a_1' selects no node: an earlier rule took a_1; "
                          "put the more special rule first"));
}

TEST(Select, ABrokenPatternIsAProblemAtItsPlace) {
  EXPECT_THAT(
      select(By::RegexName, {{.key = "a_(", .where = {.file = "q.toml", .line = 3}}}).problems,
      ElementsAre("q.toml:3: 'a_(' is no regular expression: missing ): a_("));
}

TEST(Select, UnknownWaysToSelectAreRefused) {
  EXPECT_EQ(parse_by("regex_name"), By::RegexName);
  EXPECT_THROW(parse_by("regex"), Error);
}

}  // namespace
}  // namespace mase::passes
