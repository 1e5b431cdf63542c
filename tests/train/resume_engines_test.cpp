// Bitwise resume on the real engines: batch norms with running statistics, dropout, fake
// quantisation, every optimiser and precision.
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "../engine/networks.h"
#include "hook_engine.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"
#include "mase/train/optimiser.h"
#include "mase/train/train.h"
#include "softmax_engine.h"
#include "temporary_folder.h"

namespace mase::train {
namespace {

using testing::blobs;
using testing::HookEngine;

struct Case {
  const char* engine;
  const char* optimiser = "adam";
  engine::Precision precision = engine::Precision::Float32;
  std::int64_t accumulate = 1;
  bool quantised = false;
};

class ResumeEngines : public ::testing::TestWithParam<Case> {};

TEST_P(ResumeEngines, EndsBitForBitAsIfNeverStopped) {
  const Case& c = GetParam();
  const engine::Engine* engine = nullptr;
  try {
    engine = &engine::load_engine(c.engine);
  } catch (const Error& error) {
    ASSERT_EQ(error.kind(), ErrorKind::Unsupported);
    GTEST_SKIP() << "this build has no engine " << c.engine;
  }
  ir::Graph graph =
      engine::test::sequence({"BatchNorm1d(16)", "ReLU()", "Linear(16, 12)", "BatchNorm1d(12)",
                              "ReLU()", "Dropout(0.25)", "Linear(12, 5)"});
  if (c.quantised) graph = engine::test::quantised(std::move(graph), "linear", 8, 4);
  FitOptions options;
  options.optimiser = optimiser_options(c.optimiser, 0.02, 0.01);
  options.precision = c.precision;
  options.accumulate_grad_batches = c.accumulate;
  options.batch_size = 32;
  options.max_epochs = 3;
  options.seed = 5;
  ASSERT_EQ(engine->why_not(graph, {.precision = c.precision}), "");
  const data::DataSet data = blobs(300, 16, 5);

  const std::filesystem::path whole = new_folder();
  const FitResult expected = fit(graph, data, *engine, options, {.folder = whole});
  const std::filesystem::path parts = new_folder();
  const Output output{.folder = parts};
  for (const int step : {3, 4, 12}) {  // of each part, so in epochs 0, 0 or 1, and 1 or 2
    const HookEngine stopping(*engine, {.before_step = [step](int i) {
      if (i == step) std::raise(SIGTERM);
    }});
    ASSERT_TRUE(fit(graph, data, stopping, options, output).interrupted);
    options.resume = "last";
  }
  const FitResult result = fit(graph, data, *engine, options, output);

  EXPECT_EQ(result.steps, expected.steps);
  EXPECT_EQ(result.val_loss_epoch, expected.val_loss_epoch);
  EXPECT_EQ(result.train_acc_epoch, expected.train_acc_epoch);
  const io::Checkpoint a = io::read_checkpoint(expected.last_checkpoint).or_throw();
  const io::Checkpoint b = io::read_checkpoint(result.last_checkpoint).or_throw();
  ASSERT_EQ(a.state.size(), b.state.size());
  for (std::size_t i = 0; i < a.state.size(); ++i) {
    EXPECT_TRUE(a.state[i].second == b.state[i].second) << a.state[i].first;
  }
  ASSERT_EQ(a.optimiser.size(), b.optimiser.size());
  ASSERT_FALSE(a.optimiser.empty());
  for (std::size_t i = 0; i < a.optimiser.size(); ++i) {
    EXPECT_EQ(a.optimiser[i].step, b.optimiser[i].step);
    EXPECT_TRUE(a.optimiser[i].tensors == b.optimiser[i].tensors) << a.optimiser[i].parameter;
  }
}

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  std::string text = std::string(c.engine) + "_" + c.optimiser;
  if (c.precision == engine::Precision::Float64) text += "_float64";
  if (c.precision == engine::Precision::BFloat16Mixed) text += "_bfloat16";
  if (c.accumulate > 1) text += "_accumulated";
  if (c.quantised) text += "_quantised";
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Engines, ResumeEngines,
    ::testing::Values(Case{.engine = "torch"}, Case{.engine = "torch", .optimiser = "adamw"},
                      Case{.engine = "torch", .optimiser = "sgd"},
                      Case{.engine = "torch", .precision = engine::Precision::Float64},
                      Case{.engine = "torch", .precision = engine::Precision::BFloat16Mixed},
                      Case{.engine = "torch", .accumulate = 3},
                      Case{.engine = "torch", .quantised = true}, Case{.engine = "native"},
                      Case{.engine = "native", .optimiser = "adamw"},
                      Case{.engine = "native", .optimiser = "sgd"},
                      Case{.engine = "native", .accumulate = 3},
                      Case{.engine = "native", .quantised = true}),
    case_name);

}  // namespace
}  // namespace mase::train
