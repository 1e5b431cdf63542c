// Training on the jets that the repository carries reaches what plain PyTorch reaches on them
// (data/jsc): slow, so a tier of its own.
#include <fmt/format.h>
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
  std::uint64_t seeds;
};

const engine::Engine* engine_or_null(const char* name) {
  try {
    return &engine::load_engine(name);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
    return nullptr;
  }
}

const data::DataSet& jets() {
  static const data::DataSet data = data::open("jsc");
  return data;
}

struct Trained {
  FitResult fit;
  TestResult test;
};

Trained trained(const engine::Engine& engine, const char* model, std::int64_t batch_size,
                double rate, std::uint64_t seed = 0, std::int64_t epochs = 10) {
  FitOptions options;
  options.optimiser = optimiser_options("adam", rate, 0);
  options.batch_size = batch_size;
  options.max_epochs = epochs;
  options.seed = seed;
  const models::BuildOptions build{.seed = seed, .model_dir = MASE_SOURCE_DIR "/configs/models"};
  Trained out;
  out.fit = fit(models::build(model, jets().info, build), jets(), engine, options);
  out.test = test(out.fit.graph, jets().test, engine, 256);
  return out;
}

class Relations : public ::testing::TestWithParam<Case> {};

TEST_P(Relations, AccuracyAfterTenEpochs) {
  const Case& c = GetParam();
  const engine::Engine* engine = engine_or_null(c.engine);
  if (!engine) GTEST_SKIP() << "this build has no engine " << c.engine;
  for (std::uint64_t seed = 0; seed < c.seeds; ++seed) {
    const Trained result = trained(*engine, c.model, c.batch_size, c.rate, seed);
    EXPECT_GE(result.test.accuracy, c.low) << "seed " << seed;
    EXPECT_LE(result.test.accuracy, c.high) << "seed " << seed;
    // The training accuracy of a whole epoch is close to what its end reaches on the same rows.
    EXPECT_NEAR(result.fit.train_acc_epoch, result.fit.val_acc_epoch, 0.05) << "seed " << seed;
    RecordProperty(fmt::format("seed_{}", seed), fmt::format("{:.4f}", result.test.accuracy));
    fmt::print("seed {}: accuracy {:.4f}, loss {:.4f}\n", seed, result.test.accuracy,
               result.test.loss);
  }
}

// Bounds: the reference accuracies of plain PyTorch on these rows, and their spread.
INSTANTIATE_TEST_SUITE_P(
    Networks, Relations,
    ::testing::Values(Case{"torch", "jsc-toy", 256, 1e-2, 0.74, 0.76, 1},
                      Case{"native", "jsc-toy", 256, 1e-2, 0.74, 0.76, 5},
                      Case{"native", "jsc-toy", 128, 1e-3, 0.73, 0.75, 5},
                      Case{"native", "jsc-s", 256, 1e-3, 0.74, 0.76, 5},
                      Case{"native", "jsc-1k", 128, 1e-3, 0.74, 0.76, 5},
                      // Its last ReLU may kill a class for good: about 0.59, else about 0.716.
                      Case{"native", "jsc-tiny", 128, 1e-3, 0.54, 0.73, 5},
                      // Far from converged at this rate.
                      Case{"native", "jsc-10x", 256, 1e-5, 0.45, 0.68, 5}),
    [](const auto& info) {
      std::string name =
          fmt::format("{}_{}_{}", info.param.engine, info.param.model, info.param.batch_size);
      for (char& c : name) c = c == '-' ? '_' : c;
      return name;
    });

// What users' tables of runs show, whatever the seed.
TEST(Tables, MoreEpochsAndALargerNetworkDoBetter) {
  const engine::Engine* engine = engine_or_null("native");
  ASSERT_NE(engine, nullptr);
  const auto loss = [&](double rate, std::int64_t batch, std::int64_t epochs) {
    return trained(*engine, "jsc-toy", batch, rate, 1, epochs).fit.val_loss_epoch;
  };
  EXPECT_GT(loss(1e-4, 256, 2), loss(1e-4, 256, 10));
  EXPECT_GT(loss(1e-4, 256, 10), loss(1e-4, 256, 50));
  EXPECT_GT(loss(1e-4, 1024, 10), loss(1e-4, 256, 10));
  for (const double rate : {1e-4, 1e-5, 1e-6}) EXPECT_LT(loss(1e-3, 256, 10), loss(rate, 256, 10));
  EXPECT_GT(trained(*engine, "jsc-1k", 128, 1e-3).test.accuracy,
            trained(*engine, "jsc-tiny", 128, 1e-3).test.accuracy);
  // A rate this small stays at the level of chance.
  EXPECT_NEAR(trained(*engine, "jsc-tiny", 256, 1e-7, 0, 1).test.accuracy, 0.22, 0.13);
}

}  // namespace
}  // namespace mase::train
