// What every engine promises: training, state, captures, errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mase/support/error.h"
#include "tests/engine/networks.h"

namespace mase::engine {
namespace {

using test::classes;
using test::Data;
using test::jsc_toy;
using test::quantised;
using test::range;
using test::sequence;
using ::testing::HasSubstr;

class ProgramTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Program> compile(const ir::Graph& graph, const ProgramOptions& options = {}) {
    return load_engine(GetParam()).compile(graph, options);
  }
  // `steps` batches of 32 from `first` on, numbered as in one long run.
  static std::vector<double> train(Program& program, const Data& data, std::uint32_t first,
                                   std::uint32_t steps) {
    std::vector<double> losses;
    for (std::uint32_t step = first; step < first + steps; ++step) {
      const auto rows = range((step * 32) % 480, 32);
      const Batch batch{
          .features = &data.features, .labels = &data.labels, .rows = rows, .next_rows = {}};
      losses.push_back(program.train_step(batch, {.step = step}).loss);
    }
    return losses;
  }
  static BatchResult evaluate(Program& program, const Data& data) {
    const auto rows = range(0, static_cast<std::uint32_t>(data.features.dim(0)));
    return program.evaluate(
        {.features = &data.features, .labels = &data.labels, .rows = rows, .next_rows = {}});
  }
};

const std::vector<std::string> kWithDropout = {"Linear(16, 24)", "BatchNorm1d(24)", "ReLU()",
                                               "Dropout(p=0.25)", "Linear(24, 5)"};

TEST_P(ProgramTest, TrainingLearns) {
  const Data data = classes(512);
  for (const OptimiserKind kind : {OptimiserKind::Adam, OptimiserKind::AdamW, OptimiserKind::Sgd}) {
    const auto program = compile(jsc_toy());
    program->set_optimiser({.kind = kind, .learning_rate = 0.02});
    const double before = evaluate(*program, data).loss;
    train(*program, data, 0, 60);
    const BatchResult after = evaluate(*program, data);
    EXPECT_LT(after.loss, before - 0.3);
    EXPECT_GT(after.correct, 512 / 2);
    EXPECT_EQ(after.count, 512);
  }
}

TEST_P(ProgramTest, AResumedRunEndsBitwiseEqual) {
  const Data data = classes(512);
  for (const Precision precision :
       {Precision::Float32, Precision::Float64, Precision::BFloat16Mixed}) {
    for (const OptimiserKind kind :
         {OptimiserKind::Adam, OptimiserKind::AdamW, OptimiserKind::Sgd}) {
      const ir::Graph graph = quantised(sequence(kWithDropout), "linear", 8, 4);
      const ProgramOptions options{.precision = precision, .seed = 3};
      if (!load_engine(GetParam()).why_not(graph, options).empty()) continue;
      const OptimiserOptions optimiser{.kind = kind, .learning_rate = 0.01, .weight_decay = 0.01};
      const auto whole = compile(graph, options);
      whole->set_optimiser(optimiser);
      const auto first = train(*whole, data, 0, 7);
      const ir::State state = whole->state();
      const ir::OptimiserState memory = whole->optimiser_state();
      const auto losses = train(*whole, data, 7, 9);

      const auto resumed = compile(graph, options);
      resumed->set_optimiser(optimiser);
      resumed->load_state(state);
      resumed->load_optimiser_state(memory);
      EXPECT_EQ(train(*resumed, data, 7, 9), losses);
      EXPECT_EQ(resumed->state(), whole->state());
      const ir::OptimiserState a = resumed->optimiser_state();
      const ir::OptimiserState b = whole->optimiser_state();
      ASSERT_EQ(a.size(), b.size());
      for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].parameter, b[i].parameter);
        EXPECT_EQ(a[i].step, b[i].step);
        EXPECT_EQ(a[i].tensors, b[i].tensors);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, ProgramTest, ::testing::Values("native", "torch"));

}  // namespace
}  // namespace mase::engine
