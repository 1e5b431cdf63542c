#include "mase/passes/interface/node_meta_param.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "mase/numerics/format.h"
#include "mase/support/files.h"
#include "tests/passes/networks.h"
#include "tests/shared_data.h"

namespace mase::passes {
namespace {

using testing::HasSubstr;

std::filesystem::path temporary(const std::string& name) {
  return std::filesystem::path(testing::TempDir()) / name;
}

// jsc-tiny with some metadata of every kind.
ir::Graph with_metadata() {
  ir::Graph graph = jsc_tiny();
  for (ir::Node& node : graph.nodes_mut()) {
    node.meta.common = ir::CommonMeta{.mase_type = "module", .mase_op = node.op};
    node.meta.software = ir::SoftwareMeta{.has_results = true};
  }
  ir::Metadata& meta = graph.node("seq_blocks_2").meta;
  meta.common->args = {{"weight",
                        {.kind = ir::ArgumentMeta::Kind::Parameter,
                         .shape = {5, 16},
                         .value = graph.find_parameter("seq_blocks.2.weight")->value}},
                       {"start_dim", {.kind = ir::ArgumentMeta::Kind::Constant, .constant = 1}}};
  meta.software->args = {{"weight", {.stat = ir::Dict{{"mean", 0.125}, {"var", ir::None{}}}}}};
  meta.software->has_args = true;
  meta.hardware = {{"is_implicit", false}};
  return graph;
}

TEST(NodeMetaParam, RoundTrip) {
  const auto path = temporary("node_meta_param.toml");
  const ir::Graph graph = with_metadata();
  save_node_meta_param(graph, path);
  const ir::Graph back = load_node_meta_param(jsc_tiny(), path);
  for (const ir::Node& node : graph) {
    EXPECT_EQ(back.node(node.name).meta.to_value(), node.meta.to_value()) << node.name;
  }
  std::filesystem::remove(path);
}

TEST(NodeMetaParam, ReadsTheFileOfTheOriginal) {
  const std::string file = "mase_runs/transform_toy_by_type/node_meta_param.toml";
  MASE_NEEDS_SHARED_DATA(file);
  const ir::Graph graph = load_node_meta_param(jsc_toy(), shared_data() / file);
  const ir::CommonMeta& linear = *graph.node("seq_blocks_2").meta.common;
  EXPECT_EQ(linear.mase_type, "module_related_func");
  const ir::ArgumentMeta& weight = *ir::find(linear.args, "weight");
  EXPECT_EQ(weight.type, "integer");
  EXPECT_EQ(ir::repr(ir::Value(weight.precision)), "[8, 4]");
  EXPECT_EQ(weight.value.get<ir::Tensor>()->values<float>()[0], -0.023461027f);
  const ir::ArgumentMeta& input = *ir::find(linear.args, "data_in_0");
  EXPECT_EQ(input.shape, (ir::Shape{256, 16}));
  EXPECT_EQ(input.value.get<ir::Tensor>()->shape(), (ir::Shape{256, 16}));
  EXPECT_EQ(ir::repr(ir::Value(graph.node("x").meta.hardware)), "{'is_implicit': True}");
  EXPECT_TRUE(graph.node("seq_blocks_0").meta.software->has_args);
}

TEST(NodeMetaParam, AllProblemsAtOnce) {
  const auto path = temporary("wrong.toml");
  write_file(path,
             "[seq_blocks_9.common]\n[seq_blocks_2.common]\nmase_typ = 1\n[output.hardware]\n");
  try {
    load_node_meta_param(jsc_tiny(), path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("wrong.toml:1:"));
    EXPECT_THAT(error.what(), HasSubstr("the graph has no node 'seq_blocks_9'; did you mean"));
    EXPECT_THAT(error.what(), HasSubstr("node seq_blocks_2: metadata common: unknown key"));
  }
  EXPECT_THROW(load_node_meta_param(jsc_tiny(), temporary("none.toml")), Error);
  std::filesystem::remove(path);
}

TEST(NodeMetaParam, RunFromOptions) {
  Context context{.folder = temporary("meta_run")};
  const PassResult saved = run_pass(kSaveNodeMetaParam, with_metadata(), {}, context);
  const std::string path = saved.info.find("path")->as_text();
  EXPECT_EQ(path, (context.folder / "save_node_meta_param/node_meta_param.toml").string());
  Diagnostics diagnostics;
  const Options options = check_options(kLoadNodeMetaParam, {{"load_path", path}}, {}, diagnostics);
  const PassResult loaded = run_pass(kLoadNodeMetaParam, jsc_tiny(), options, context);
  EXPECT_EQ(loaded.graph.node("seq_blocks_2").meta.to_value(),
            with_metadata().node("seq_blocks_2").meta.to_value());
  std::filesystem::remove_all(context.folder);
}

// Python's own reader takes the file.
TEST(NodeMetaParam, IsTomlForOthers) {
  if (std::system("python3 -c 'import tomllib' 2>/dev/null") != 0) {
    GTEST_SKIP() << "needs Python 3.11 or later";
  }
  const auto path = temporary("for_python.toml");
  save_node_meta_param(with_metadata(), path);
  const std::string script =
      "import sys, tomllib; t = tomllib.load(open(sys.argv[1], \"rb\"));"
      "w = t[\"seq_blocks_2\"][\"common\"][\"args\"][\"weight\"];"
      "sys.exit(not (w[\"from\"] == \"NA\" and len(w[\"value\"]) == 5 and "
      "t[\"output\"][\"hardware\"] == {}))";
  EXPECT_EQ(std::system(("python3 -c '" + script + "' '" + path.string() + "'").c_str()), 0);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace mase::passes
