#include "mase/passes/interface/mase_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mase/io/torch/checkpoint.h"
#include "mase/ir/graph_text.h"
#include "mase/numerics/format.h"
#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/support/files.h"
#include "tests/passes/networks.h"
#include "tests/shared_data.h"

namespace mase::passes {
namespace {

using testing::HasSubstr;

class MaseGraph : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // One per test: they may run side by side.
  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("mase_graph_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

ir::Graph quantised() {
  const ir::Graph graph = add_metadata(jsc_tiny(), {{"x", ir::Tensor({8, 16}, ir::DType::Float32)}},
                                       {.add_value = false});
  ir::Dict config = integer_config(8, 4);
  config.emplace_back("rounding", "down");
  return quantize(graph, {.rules = {{"linear", config}, {"relu", numerics::integer(6, 3)}}});
}

void expect_equal(const ir::Graph& a, const ir::Graph& b) {
  EXPECT_EQ(ir::to_text(a), ir::to_text(b));
  EXPECT_EQ(a.state(), b.state());
  for (const ir::Node& node : a) {
    EXPECT_EQ(node.meta.to_value(), b.node(node.name).meta.to_value()) << node.name;
    EXPECT_EQ(node.precision, b.node(node.name).precision) << node.name;
    EXPECT_EQ(node.precision, b.node(node.name).precision) << node.name;
  }
}

TEST_F(MaseGraph, ComesBackEqual) {
  const ir::Graph graph = quantised();
  save_mase_graph(graph, folder_);
  for (const char* file : {"", "graph_module.mz", "state_dict.pt", "node_meta_param.toml"}) {
    expect_equal(load_mase_graph(folder_ / file), graph);
  }
  const io::Checkpoint state = io::read_checkpoint(folder_ / "state_dict.pt").or_throw();
  EXPECT_EQ(state.state, graph.state());
}

TEST_F(MaseGraph, MetadataThatWasEditedCounts) {
  save_mase_graph(quantised(), folder_);
  write_file(folder_ / "node_meta_param.toml", "[x.hardware]\nis_implicit = true\n");
  const ir::Graph edited = load_mase_graph(folder_);
  EXPECT_EQ(ir::repr(ir::Value(edited.node("x").meta.hardware)), "{'is_implicit': True}");
  std::filesystem::copy(folder_ / "graph_module.mz", folder_ / "alone.mz");
  EXPECT_TRUE(load_mase_graph(folder_ / "alone.mz").node("x").meta.hardware.empty());
}

TEST_F(MaseGraph, WhatCannotBeRead) {
  EXPECT_THROW(load_mase_graph(folder_ / "nothing"), Error);
  write_file(folder_ / "graph_module.mz", "no archive");
  EXPECT_THROW(load_mase_graph(folder_), Error);
}

TEST_F(MaseGraph, RunFromOptions) {
  std::vector<std::string> log;
  Context context{.info = [&](std::string_view text) { log.emplace_back(text); },
                  .folder = folder_};
  run_pass(kSaveMaseGraph, quantised(), {}, context);
  Diagnostics diagnostics;
  const std::string saved = (folder_ / "saved_mase_graph").string();
  const Options options = check_options(kLoadMaseGraph, {{"load_dir", saved}}, {}, diagnostics);
  expect_equal(run_pass(kLoadMaseGraph, jsc_toy(), options, context).graph, quantised());
  EXPECT_THAT(
      log, testing::ElementsAre("Saved mase graph to " + saved, "Loaded mase graph from " + saved));
}

}  // namespace
}  // namespace mase::passes
