// Loading weights into a graph: strictly, partly, and what is told about names that do not fit.
#include "mase/io/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace mase::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ir::Tensor filled(const ir::Shape& shape, float value) {
  ir::Tensor tensor(shape, ir::DType::Float32);
  for (float& element : tensor.values_mut<float>()) element = value;
  return tensor;
}

ir::Graph network() {
  ir::Graph graph("net", "Net");
  graph.add_parameter({.name = "fc.weight", .value = filled({2, 3}, 0)});
  graph.add_parameter({.name = "fc.bias", .value = filled({2}, 0)});
  return graph;
}

class Load : public testing::Test {
 protected:
  Load() { std::filesystem::create_directories(folder_); }
  ~Load() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const ir::State& state) {
    std::filesystem::path path = folder_ / "state_dict.pt";
    write_state_dict(path, state);
    return path;
  }

  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "load";
};

TEST_F(Load, TakesWhatFitsAndConvertsTypes) {
  ir::Graph graph = network();
  const auto path =
      write({{"fc.weight", filled({2, 3}, 1).to(ir::DType::Float64)}, {"fc.bias", filled({2}, 2)}});
  const LoadReport report = load_parameters(path, graph);
  EXPECT_TRUE(report.exact());
  EXPECT_EQ(report.kind, CheckpointKind::StateDict);
  EXPECT_EQ(graph.find_parameter("fc.weight")->value, filled({2, 3}, 1));
  EXPECT_EQ(graph.find_parameter("fc.bias")->value, filled({2}, 2));
  EXPECT_THAT(report.text(), HasSubstr("| matched      |        2 | all"));
}

TEST_F(Load, RefusesWhatDoesNotFitAndLeavesTheGraph) {
  ir::Graph graph = network();
  const auto path = write({{"fc.weight", filled({2, 4}, 1)}, {"other", filled({1}, 1)}});
  try {
    load_parameters(path, graph);
    FAIL() << "a checkpoint that does not fit was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_THAT(error.message(), HasSubstr("does not fit the network 'net'"));
    EXPECT_THAT(error.message(), HasSubstr("fc.bias"));
    EXPECT_THAT(error.message(), HasSubstr("other"));
    EXPECT_THAT(error.message(), HasSubstr("fc.weight: [2, 3] here, [2, 4] in the checkpoint"));
  }
  EXPECT_EQ(graph.state(), network().state());
}

TEST_F(Load, LoadsPartlyWhenAsked) {
  ir::Graph graph = network();
  const LoadReport report =
      load_parameters(write({{"fc.bias", filled({2}, 5)}, {"other", filled({1}, 1)}}), graph, true);
  EXPECT_THAT(report.matched, ElementsAre("fc.bias"));
  EXPECT_THAT(report.missing, ElementsAre("fc.weight"));
  EXPECT_THAT(report.unexpected, ElementsAre("other"));
  EXPECT_EQ(graph.find_parameter("fc.bias")->value, filled({2}, 5));
  EXPECT_EQ(graph.find_parameter("fc.weight")->value, filled({2, 3}, 0));
}

TEST_F(Load, IgnoresUnknownNamesOfALightningCheckpoint) {
  Checkpoint checkpoint;
  checkpoint.state = {{"fc.weight", filled({2, 3}, 1)},
                      {"fc.bias", filled({2}, 2)},
                      {"acc_train.total", filled({1}, 3)}};
  const auto path = folder_ / "last.ckpt";
  write_lightning_checkpoint(path, checkpoint);
  ir::Graph graph = network();
  const LoadReport report = load_parameters(path, graph);
  EXPECT_EQ(report.kind, CheckpointKind::Lightning);
  EXPECT_TRUE(report.complete());
  EXPECT_THAT(report.unexpected, ElementsAre("acc_train.total"));
}

TEST_F(Load, SaysWhatIsWrongWithAFile) {
  ir::Graph graph = network();
  EXPECT_THROW(load_parameters(folder_ / "absent.ckpt", graph), Error);
}

}  // namespace
}  // namespace mase::io
