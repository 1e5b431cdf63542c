#include "mase/passes/pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "mase/passes/table.h"

namespace mase::passes {
namespace {

using testing::HasSubstr;

PassResult say_hello(const ir::Graph& graph, const Options&, Context& context) {
  context.output() << "hello";
  return {.graph = graph, .info = "hello", .hits = {{"linear", {"a", "b"}}}};
}

const Pass kHello{.name = "hello_from_a_plugin", .run = say_hello};

// x -> relu -> output
ir::Graph small() {
  ir::Graph graph("net", "Net");
  graph.add({.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  graph.add({.kind = ir::NodeKind::CallFunction,
             .op = "relu",
             .target = "torch.relu",
             .args = {ir::NodeRef{"x"}}});
  graph.add({.name = "output",
             .kind = ir::NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {ir::NodeRef{"relu"}}});
  return graph;
}

TEST(Passes, AreSortedAndUniqueAndComplete) {
  const auto all = builtin_passes();
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_NE(all[i]->run, nullptr) << all[i]->name;
    EXPECT_FALSE(all[i]->summary.empty()) << all[i]->name;
    EXPECT_EQ(find_pass(all[i]->name), all[i]);
    if (i > 0) {
      EXPECT_LT(all[i - 1]->name, all[i]->name);
    }
    for (const Field& option : all[i]->options) {
      EXPECT_FALSE(option.help.empty()) << all[i]->name << "." << option.name;
    }
    for (const std::string_view need : all[i]->needs) {
      ASSERT_NE(find_pass(need), nullptr) << all[i]->name << " needs " << need;
      EXPECT_NE(find_pass(need)->done, nullptr) << need;
    }
  }
}

TEST(Passes, APluginsNameMustBeFree) {
  if (find_pass(kHello.name) == nullptr) register_plugin_pass(kHello);
  EXPECT_EQ(find_pass(kHello.name), &kHello);
  EXPECT_THROW(register_plugin_pass(kHello), Error);
}

TEST(RunPass, LogsWhatTheRulesSelected) {
  std::ostringstream out;
  std::vector<std::string> lines;
  Context context{.out = &out, .info = [&](std::string_view line) { lines.emplace_back(line); }};
  run_pass(kHello, small(), Options(), context);
  EXPECT_EQ(out.str(), "hello");
  EXPECT_THAT(lines, testing::ElementsAre("hello_from_a_plugin: 'linear' selects 2 nodes: a, b"));
}

TEST(RunPass, WithJsonNothingIsPrinted) {
  std::ostringstream out;
  Context context{.out = &out, .json = true};
  const PassResult result = run_pass(kHello, small(), Options(), context);
  EXPECT_EQ(out.str(), "");
  EXPECT_EQ(result.info.as_text(), "hello");
  EXPECT_EQ(context.out, &out);
}

PassResult forget_the_input(const ir::Graph& graph, const Options&, Context&) {
  ir::Graph broken = graph;
  broken.nodes_mut().erase(broken.nodes_mut().begin());
  return {.graph = std::move(broken)};
}

TEST(RunPass, AGraphThatComesOutBrokenIsRefused) {
  const Pass forget{.name = "forget", .run = forget_the_input};
  Context context;
  try {
    run_pass(forget, small(), Options(), context);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::CheckFailed);
    EXPECT_STREQ(error.what(),
                 "node relu: after pass forget: reads 'x', which is not computed before it");
  }
}

}  // namespace
}  // namespace mase::passes
