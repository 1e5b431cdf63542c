// Loading weights into a graph: strictly, partly, and what is told about names that do not fit.
#include "mase/io/graph/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mase/io/arrays/safetensors.h"
#include "tests/io/bounds.h"

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

TEST_F(Load, NamesTheParametersThatKeepTheirValues) {
  ir::Graph graph = network();
  const auto path = write({{"fc.weight", filled({2, 4}, 1)}, {"fc.bias", filled({2}, 2)}});
  const LoadReport report = load_parameters(path, graph, /*partial=*/true);
  EXPECT_THAT(report.kept, ElementsAre("fc.weight"));
  EXPECT_EQ(report.kept_text(), "fc.weight");
  EXPECT_FALSE(is_checkpoint_of(graph, path));
  const ir::State whole = {{"net.fc.weight", filled({2, 3}, 1)}, {"net.fc.bias", filled({2}, 2)}};
  EXPECT_TRUE(is_checkpoint_of(graph, write(whole)));
  EXPECT_FALSE(is_checkpoint_of(graph, folder_ / "nothing.pt"));
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

TEST_F(Load, PrefixesOfWrappersAreLeftOut) {
  for (const std::string prefix :
       {"module.", "_orig_mod.", "net.", "model.", "model.model.", "anything.of.theirs."}) {
    ir::Graph graph = network();
    const auto path =
        write({{prefix + "fc.weight", filled({2, 3}, 1)}, {prefix + "fc.bias", filled({2}, 2)}});
    const LoadReport report = load_parameters(path, graph);
    EXPECT_TRUE(report.exact()) << prefix << report.text();
    EXPECT_THAT(report.notes, ElementsAre(HasSubstr("'" + prefix + "'")));
    EXPECT_EQ(graph.find_parameter("fc.bias")->value, filled({2}, 2));
  }
}

TEST_F(Load, WhatHasNotThePrefixIsNotTaken) {
  ir::Graph graph = network();
  const auto path = write({{"module.fc.weight", filled({2, 3}, 1)},
                           {"module.fc.bias", filled({2}, 2)},
                           {"n_averaged", filled({}, 3)}});
  EXPECT_THROW(load_parameters(path, graph), Error);
  EXPECT_THAT(load_parameters(path, graph, true).unexpected, ElementsAre("n_averaged"));
  // A network whose own names begin so is loaded as it is.
  ir::Graph wrapped("net", "Net");
  wrapped.add_parameter({.name = "module.fc.bias", .value = filled({2}, 0)});
  const LoadReport report = load_parameters(write({{"module.fc.bias", filled({2}, 2)}}), wrapped);
  EXPECT_TRUE(report.exact() && report.notes.empty());
}

TEST_F(Load, ACounterOfBatchNormThatIsMissingIsZero) {
  const auto fresh = [] {
    ir::Graph graph("net", "Net");
    graph.add_parameter({.name = "0.running_mean", .value = filled({2}, 0), .is_buffer = true});
    ir::Tensor counter({}, ir::DType::Int64);
    counter.values_mut<std::int64_t>()[0] = 5;
    graph.add_parameter(
        {.name = "0.num_batches_tracked", .value = std::move(counter), .is_buffer = true});
    return graph;
  };
  ir::Graph graph = fresh();
  const LoadReport report = load_parameters(write({{"0.running_mean", filled({2}, 1)}}), graph);
  EXPECT_TRUE(report.exact());
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("num_batches_tracked of 1 batch norm is not")));
  EXPECT_EQ(graph.find_parameter("0.num_batches_tracked")->value.at(0), 0);
  // Without the statistics it counts, it is missing like them.
  ir::Graph other = fresh();
  EXPECT_THAT(load_parameters(write({{"x", filled({2}, 1)}}), other, true).missing,
              ElementsAre("0.running_mean", "0.num_batches_tracked"));
}

TEST_F(Load, TakesSafetensors) {
  const auto path = folder_ / "any.name";
  write_safetensors(path,
                    {.tensors = {{"fc.bias", filled({2}, 2)}, {"fc.weight", filled({2, 3}, 1)}}});
  ir::Graph graph = network();
  const LoadReport report = load_parameters(path, graph);
  EXPECT_TRUE(report.exact());
  EXPECT_EQ(report.kind, CheckpointKind::SafeTensors);
  EXPECT_EQ(graph.find_parameter("fc.weight")->value, filled({2, 3}, 1));
}

TEST_F(Load, SaysWhatIsNotRead) {
  Checkpoint checkpoint;
  checkpoint.state = {{"net.fc.bias", filled({2}, 2)}};
  checkpoint.unread = {{"net.fc.weight", "a sparse tensor"}};
  checkpoint.optimiser = {{.parameter = "net.fc.bias"}};
  ir::Graph graph = network();
  EXPECT_EQ(strip_prefix(checkpoint, graph), "net.");
  EXPECT_EQ(checkpoint.optimiser.at(0).parameter, "fc.bias");
  const LoadReport report = match_parameters(checkpoint, graph);
  EXPECT_FALSE(report.complete());
  EXPECT_TRUE(report.missing.empty());
  EXPECT_THAT(report.text(), HasSubstr("fc.weight is a sparse tensor, which is not supported"));
}

TEST_F(Load, ManyLongNamesTakeTimeInProportionAndAreListedShort) {
  ir::Graph graph("net", "Net");
  ir::State state;
  for (int i = 0; i < 50'000; ++i) {
    graph.parameters_mut().push_back({.name = fmt::format("layer.{}", i), .value = filled({1}, 0)});
    state.emplace_back(fmt::format("module.layer.{}", i), filled({1}, 1));
  }
  state.emplace_back("module." + std::string(3'000'000, 'x'), filled({1}, 1));
  EXPECT_TRUE(tests::runs_within(std::size_t{1} << 30, [&] {
    Checkpoint checkpoint{.state = state};
    if (strip_prefix(checkpoint, graph) != "module.") return false;
    const LoadReport report = match_parameters(checkpoint, graph);
    return report.matched.size() == 50'000 && report.text().size() < 10'000;
  }));
}

TEST_F(Load, SaysWhatIsWrongWithAFile) {
  ir::Graph graph = network();
  EXPECT_THROW(load_parameters(folder_ / "absent.ckpt", graph), Error);
}

}  // namespace
}  // namespace mase::io
