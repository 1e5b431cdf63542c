// A loss that is not finite names the layer it comes from, on every engine.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "../engine/networks.h"
#include "mase/support/error.h"
#include "mase/train/train.h"
#include "softmax_engine.h"

namespace mase::train {
namespace {

using testing::blobs;
using ::testing::HasSubstr;

class NonFiniteOn : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      engine_ = &engine::load_engine(GetParam());
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::Unsupported);
      GTEST_SKIP() << "this build has no engine " << GetParam();
    }
  }
  static ir::Graph network() {
    return engine::test::sequence(
        {"Linear(16, 12)", "BatchNorm1d(12)", "ReLU()", "Linear(12, 8)", "Linear(8, 5)"});
  }
  // What training on this graph and data ends with.
  Error error_of(ir::Graph graph, const data::DataSet& data, double rate = 1e-3) {
    FitOptions options;
    options.optimiser.learning_rate = rate;
    options.batch_size = 32;
    options.max_epochs = 3;
    try {
      fit(std::move(graph), data, *engine_, options);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "training did not stop";
    return Error(ErrorKind::Internal, "");
  }

  const engine::Engine* engine_ = nullptr;
};

TEST_P(NonFiniteOn, AParameter) {
  ir::Graph graph = network();
  graph.find_parameter("seq_blocks.3.weight")->value.values_mut<float>()[7] =
      std::numeric_limits<float>::quiet_NaN();
  data::DataSet data = blobs(300, 16, 5);
  data.validation = {};  // or else its sanity check finds it first
  const Error error = error_of(graph, data);
  EXPECT_EQ(error.kind(), ErrorKind::RunFailed);
  EXPECT_EQ(error.where().node, "seq_blocks_3");
  EXPECT_THAT(error.message(), HasSubstr("epoch 0, batch 0 (step 0)"));
  EXPECT_THAT(error.message(), HasSubstr("(linear)"));
  EXPECT_THAT(error.message(), HasSubstr("its weight holds 1 nan of 96 values"));
}

TEST_P(NonFiniteOn, AValueThatOverflows) {
  ir::Graph graph = network();
  for (const char* name : {"seq_blocks.3.weight", "seq_blocks.4.weight"}) {
    for (float& w : graph.find_parameter(name)->value.values_mut<float>()) w = 1e30f;
  }
  data::DataSet data = blobs(300, 16, 5);
  data.validation = {};
  const Error error = error_of(graph, data);
  EXPECT_EQ(error.where().node, "seq_blocks_4");
  EXPECT_THAT(error.message(), HasSubstr("its inputs and parameters are finite"));
}

TEST_P(NonFiniteOn, TheData) {
  data::DataSet data = blobs(300, 16, 5);
  data.train.features.values_mut<float>()[200 * 16] = std::numeric_limits<float>::quiet_NaN();
  data.validation = {};
  const Error error = error_of(network(), data);
  EXPECT_THAT(error.message(), HasSubstr("the data: 1 nan among"));
}

TEST_P(NonFiniteOn, ARateThatIsFarTooHigh) {
  const Error error = error_of(network(), blobs(300, 16, 5), 1e30);
  EXPECT_EQ(error.kind(), ErrorKind::RunFailed);
  EXPECT_THAT(error.where().node, ::testing::StartsWith("seq_blocks_"));
  EXPECT_THAT(error.hint(), HasSubstr("--learning-rate than 1e+30"));
}

TEST_P(NonFiniteOn, OnlyCheckpointsThatExistAreNamed) {
  const Error first = error_of(network(), blobs(300, 16, 5), 1e30);
  EXPECT_THAT(first.hint(), ::testing::Not(HasSubstr("checkpoints")));
}

TEST_P(NonFiniteOn, ATestSaysWhere) {
  ir::Graph graph = network();
  const data::DataSet data = blobs(300, 16, 5);
  EXPECT_EQ(test(graph, data.test, *engine_, 32).nonfinite, "");
  graph.find_parameter("seq_blocks.3.weight")->value.values_mut<float>()[7] =
      std::numeric_limits<float>::quiet_NaN();
  const TestResult result = test(graph, data.test, *engine_, 32);
  EXPECT_TRUE(std::isnan(result.loss));
  EXPECT_THAT(result.nonfinite, HasSubstr("the loss is not finite in batch 0: node seq_blocks_3"));
  EXPECT_THAT(result.nonfinite, HasSubstr("its weight holds 1 nan of 96 values"));
}

TEST_P(NonFiniteOn, APredictionDecidesNothing) {
  data::DataSet data = blobs(300, 16, 5);
  const std::int64_t rows = data.test.rows();
  EXPECT_EQ(predict(network(), data.test, *engine_, 32).nonfinite, "");
  const std::int64_t bad = rows - 1;
  data.test.features.values_mut<float>()[bad * 16] = std::numeric_limits<float>::quiet_NaN();
  const Predictions result = predict(network(), data.test, *engine_, 32);
  EXPECT_THAT(
      result.nonfinite,
      HasSubstr(fmt::format("the logits of 1 of {} rows are not finite: the data: 1 nan", rows)));
  EXPECT_EQ(result.classes.at(bad), -1);
  EXPECT_GE(result.classes.at(0), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, NonFiniteOn, ::testing::Values("torch", "native"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace mase::train
