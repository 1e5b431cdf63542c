// Training on the jets that the repository carries reaches what plain PyTorch reaches on them
// (data/jsc): slow, so a tier of its own.
#include <gtest/gtest.h>

#include <string>

#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/models/model.h"
#include "mase/support/error.h"
#include "mase/train/optimiser.h"
#include "mase/train/train.h"

namespace mase::train {
namespace {

struct Case {
  const char* engine;
  const char* model;
  std::int64_t batch_size;
  double rate;
  double low;
  double high;
};

class Relations : public ::testing::TestWithParam<Case> {};

TEST_P(Relations, AccuracyAfterTenEpochs) {
  const Case& c = GetParam();
  const engine::Engine* engine = nullptr;
  try {
    engine = &engine::load_engine(c.engine);
  } catch (const Error& error) {
    ASSERT_EQ(error.kind(), ErrorKind::Unsupported);
    GTEST_SKIP() << "this build has no engine " << c.engine;
  }
  const data::DataSet jets = data::open("jsc");
  FitOptions options;
  options.optimiser = optimiser_options("adam", c.rate, 0);
  options.batch_size = c.batch_size;
  options.max_epochs = 10;
  const FitResult fitted = fit(models::build(c.model, jets.info), jets, *engine, options);
  const TestResult tested = test(fitted.graph, jets.test, *engine, 256);
  EXPECT_GE(tested.accuracy, c.low);
  EXPECT_LE(tested.accuracy, c.high);
  // The training accuracy of a whole epoch is close to what its end reaches on the same rows.
  EXPECT_NEAR(fitted.train_acc_epoch, fitted.val_acc_epoch, 0.05);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, Relations,
    ::testing::Values(Case{"torch", "jsc-toy", 256, 1e-2, 0.74, 0.76},
                      Case{"native", "jsc-toy", 256, 1e-2, 0.74, 0.76},
                      Case{"native", "jsc-s", 256, 1e-3, 0.74, 0.76},
                      // Its last ReLU may kill a class for good: about 0.59, else about 0.716.
                      Case{"native", "jsc-tiny", 128, 1e-3, 0.57, 0.73}),
    [](const auto& info) {
      std::string name = std::string(info.param.engine) + "_" + info.param.model;
      for (char& c : name) c = c == '-' ? '_' : c;
      return name;
    });

}  // namespace
}  // namespace mase::train
