// What must hold for every row of the op table.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "mase/ops/op.h"

namespace mase::ops {
namespace {

class EveryOp : public testing::TestWithParam<const Op*> {};

TEST_P(EveryOp, IsFoundByAllItsNames) {
  const Op& op = *GetParam();
  EXPECT_EQ(find_op(op.name), &op);
  if (!op.layer.empty()) {
    EXPECT_EQ(find_layer(op.layer), &op);
  }
  for (std::string_view function : op.functions) EXPECT_EQ(find_function(function), &op);
  if (!op.method.empty()) {
    EXPECT_EQ(find_method(op.method), &op);
  }
  EXPECT_TRUE(!op.layer.empty() || !op.functions.empty() || !op.method.empty());
}

TEST_P(EveryOp, HasItsRules) {
  const Op& op = *GetParam();
  EXPECT_NE(op.infer, nullptr);
  EXPECT_NE(op.cost, nullptr);
  EXPECT_FALSE(op.summary.empty());
  EXPECT_FALSE(op.arguments.empty());
  EXPECT_EQ(op.arguments[0].name, "data_in_0");
}

TEST_P(EveryOp, OnlyItsArgumentsAreQuantisable) {
  const Op& op = *GetParam();
  std::set<std::string_view> names;
  for (const Argument& argument : op.arguments) {
    EXPECT_TRUE(names.insert(argument.name).second) << argument.name;
  }
  for (std::string_view name : op.quantisable) EXPECT_TRUE(names.contains(name)) << name;
}

TEST_P(EveryOp, AFreshLayerHasTheParametersItsArgumentsName) {
  const Op& op = *GetParam();
  if (op.layer.empty()) return;
  ir::Dict given;
  for (const Attribute& attribute : op.attributes) {
    if (attribute.field.must_be_given()) given.emplace_back(std::string(attribute.name()), 3);
  }
  const ir::Dict attributes = complete_attributes(op, given);
  ASSERT_EQ(attributes.size(), op.attributes.size());
  std::vector<std::string_view> wanted;
  for (const Argument& argument : op.arguments) {
    if (argument.role != Role::Data) wanted.push_back(argument.name);
  }
  std::vector<std::string_view> made;
  if (op.parameters) {
    for (const ParameterSpec& spec : op.parameters(attributes)) made.push_back(spec.name);
  }
  EXPECT_EQ(made, wanted);
}

INSTANTIATE_TEST_SUITE_P(Table, EveryOp, testing::ValuesIn(ops().begin(), ops().end()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(OpTable, IsSortedByName) {
  EXPECT_TRUE(std::is_sorted(ops().begin(), ops().end(),
                             [](const Op* a, const Op* b) { return a->name < b->name; }));
}

TEST(OpTable, UnknownOpsSuggestTheNearest) {
  const ir::Node node{.name = "n", .kind = ir::NodeKind::CallModule, .op = "lineer"};
  EXPECT_EQ(find_op_of(node), nullptr);
  try {
    op_of(node);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
    EXPECT_STREQ(error.what(), "node n: there is no op 'lineer' (did you mean 'linear'?)");
  }
}

TEST(OpTable, KindDependsOnHowTheOpIsCalled) {
  ir::Node node{.name = "f", .kind = ir::NodeKind::CallModule, .op = "flatten", .target = "f"};
  EXPECT_EQ(name(kind_of(node)), "module_related_func");
  node.kind = ir::NodeKind::CallFunction;
  EXPECT_EQ(name(kind_of(node)), "implicit_func");
  node.kind = ir::NodeKind::Output;
  EXPECT_EQ(name(kind_of(node)), "output");
}

}  // namespace
}  // namespace mase::ops
