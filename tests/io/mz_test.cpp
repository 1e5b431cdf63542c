// A graph through a .mz file and back.
#include "mase/io/graph/mz.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "mase/data/dataset.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/io/zip.h"
#include "mase/ir/graph_text.h"
#include "mase/models/model.h"
#include "mase/numerics/integer.h"
#include "mase/support/files.h"
#include "tests/io/bounds.h"

namespace mase::io {
namespace {

using testing::HasSubstr;

class Mz : public testing::Test {
 protected:
  Mz() { std::filesystem::create_directories(folder_); }
  ~Mz() override { std::filesystem::remove_all(folder_); }

  ir::Graph network() const {
    ir::Graph graph = models::build("jsc-tiny", data::info("jsc"), {.seed = 3});
    graph.node("seq_blocks_2").precision = {{"weight", numerics::integer(8, 4)}};
    graph.node("seq_blocks_2").meta.common =
        ir::CommonMeta{.mase_type = "module_related_func", .mase_op = "linear"};
    graph.meta = {{"common", ir::Dict{{"nodes", 6}}}};
    return graph;
  }

  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "mz";
  const std::filesystem::path path_ = folder_ / "graph_module.mz";
};

TEST_F(Mz, ComesBackAsItWas) {
  const ir::Graph graph = network();
  write_mz(path_, graph);
  ASSERT_TRUE(detect_checkpoint(path_).ok());
  EXPECT_EQ(*detect_checkpoint(path_), CheckpointKind::MaseGraph);
  const auto read = read_mz(path_);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(ir::to_text(*read), ir::to_text(graph));
  EXPECT_EQ(read->state(), graph.state());
  EXPECT_EQ(read->meta, graph.meta);
  for (const ir::Node& node : graph) {
    EXPECT_EQ(read->node(node.name).meta.to_value(), node.meta.to_value()) << node.name;
  }
}

TEST_F(Mz, LayersWithoutAnAttributeThatIsNewHaveItsDefault) {
  const ir::Graph graph = network();
  ir::Graph older = graph;
  ir::Dict& attributes = older.node("seq_blocks_0").attributes;
  ASSERT_EQ(attributes.back().first, "bias");
  attributes.pop_back();
  write_mz(path_, older);
  const auto read = read_mz(path_);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(ir::to_text(*read), ir::to_text(graph));
}

TEST_F(Mz, ManyParametersTakeTimeInProportion) {
  ir::Graph graph = network();
  for (int i = 0; i < 100'000; ++i) {
    graph.parameters_mut().push_back(
        {.name = fmt::format("n{}", i), .value = ir::Tensor({0}, ir::DType::Float32)});
  }
  write_mz(path_, graph);
  EXPECT_TRUE(tests::runs_within(std::size_t{1} << 30, [&] { return read_mz(path_).ok(); }));
}

TEST_F(Mz, MembersUnpackToNoMoreThanTheirSizeAllows) {
  ZipWriter zip;
  zip.add("graph.txt", ir::to_text(network()));
  zip.add("weights.safetensors", std::string(std::size_t{1} << 27, '\0'));
  zip.write(path_);
  EXPECT_THAT(read_mz(path_).error().message, HasSubstr("are read"));
}

TEST_F(Mz, SaysWhatIsMissing) {
  ZipWriter zip;
  zip.add("graph.txt", ir::to_text(network()));
  zip.write(path_);
  const auto read = read_mz(path_);
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error().message, HasSubstr("weights.safetensors"));
}

TEST_F(Mz, RefusesAGraphThatDoesNotHold) {
  ir::Graph graph = network();
  graph.node("seq_blocks_2").attributes.front().second = 17;  // in_features of a [5, 16] weight
  write_mz(path_, graph);
  EXPECT_FALSE(read_mz(path_).ok());
}

TEST_F(Mz, SurvivesDamage) {
  write_mz(path_, network());
  const std::string whole = *read_file(path_);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    EXPECT_FALSE(parse_mz(own(whole.substr(0, size)), "cut.mz").ok()) << size;
  }
  for (std::size_t at = 0; at < whole.size(); at += 31) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    if (const auto read = parse_mz(own(damaged), "damaged.mz")) {
      EXPECT_FALSE(read->nodes().empty());  // padding, or a name nobody looks at
    }
  }
}

}  // namespace
}  // namespace mase::io
