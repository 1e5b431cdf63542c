// The loop: how many steps it takes, what it measures, what it leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "mase/io/events/tensorboard.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"
#include "mase/train/metrics.h"
#include "mase/train/train.h"
#include "softmax_engine.h"
#include "temporary_folder.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;
using testing::blobs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::softmax_engine;
using testing::softmax_graph;

FitOptions quick(std::int64_t epochs = 3) {
  FitOptions options;
  options.optimiser.learning_rate = 0.1;
  options.batch_size = 32;
  options.max_epochs = epochs;
  options.log_every_n_steps = 5;
  options.seconds_between_checkpoints = 0;
  return options;
}

std::string read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

fs::path version(const fs::path& project, int n) {
  return project / "software/tensorboard/lightning_logs" / ("version_" + std::to_string(n));
}

TEST(Fit, LearnsWithoutFilesAndOutput) {
  const FitResult result = fit(softmax_graph(4, 3), blobs(320), softmax_engine(), quick(5));
  EXPECT_EQ(result.epochs, 5);
  EXPECT_EQ(result.steps, 50);
  EXPECT_GT(result.train_acc_epoch, 0.6);
  EXPECT_GT(result.val_acc_epoch, 0.6);
  EXPECT_LT(result.val_loss_epoch, 1.0);
  EXPECT_TRUE(result.best_checkpoint.empty());
  EXPECT_FALSE(result.interrupted);
  const TestResult tested = test(result.graph, blobs(320).validation, softmax_engine(), 32);
  EXPECT_EQ(tested.accuracy, result.val_acc_epoch);
  EXPECT_EQ(tested.loss, result.val_loss_epoch);
  EXPECT_EQ(tested.rows, 160);
}

TEST(Fit, ShortLastBatchesCount) {
  const FitResult result = fit(softmax_graph(4, 3), blobs(33), softmax_engine(), quick(2));
  EXPECT_EQ(result.steps, 4);
}

TEST(Fit, AccumulatesAndUpdatesAtTheEndOfTheEpoch) {
  FitOptions options = quick(1);
  options.accumulate_grad_batches = 3;
  // 4 batches, 3 to an update: two updates.
  EXPECT_EQ(fit(softmax_graph(4, 3), blobs(128), softmax_engine(), options).steps, 2);
}

// Two halves of a batch accumulated are the whole batch, since losses are means.
TEST(Fit, AccumulationEqualsALargerBatch) {
  FitOptions whole = quick(1);
  whole.batch_size = 64;
  whole.optimiser.kind = engine::OptimiserKind::Sgd;
  FitOptions halves = whole;
  halves.batch_size = 32;
  halves.accumulate_grad_batches = 2;
  const FitResult a = fit(softmax_graph(4, 3), blobs(256), softmax_engine(), whole);
  const FitResult b = fit(softmax_graph(4, 3), blobs(256), softmax_engine(), halves);
  EXPECT_EQ(a.steps, b.steps);
  const auto wa = a.graph.find_parameter("linear.weight")->value.floats();
  const auto wb = b.graph.find_parameter("linear.weight")->value.floats();
  for (std::size_t i = 0; i < wa.size(); ++i) EXPECT_NEAR(wa[i], wb[i], 1e-5);
}

TEST(Fit, MaxStepsInsideAnEpochLeavesNoValidationAndNoBest) {
  const fs::path folder = new_folder();
  FitOptions options = quick(10);
  options.max_steps = 7;
  std::ostringstream err;
  Output output{.folder = folder, .err = &err};
  const FitResult result = fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options, output);
  EXPECT_EQ(result.steps, 7);
  EXPECT_EQ(result.epochs, 0);
  EXPECT_TRUE(result.best_checkpoint.empty());
  EXPECT_TRUE(fs::exists(result.last_checkpoint));
  EXPECT_FALSE(fs::exists(folder / "software/training_ckpts/best.ckpt"));
  EXPECT_THAT(err.str(), HasSubstr("`Trainer.fit` stopped: `max_steps=7` reached."));
}

TEST(Fit, MaxStepsAtTheEndOfAnEpochValidates) {
  FitOptions options = quick(10);
  options.max_steps = 20;
  const FitResult result = fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options);
  EXPECT_EQ(result.steps, 20);
  EXPECT_EQ(result.epochs, 2);
  EXPECT_GT(result.val_loss_epoch, 0);
}

TEST(Fit, OneBatchGoesThroughEverythingAndWritesNothing) {
  const fs::path folder = new_folder();
  FitOptions options = quick(10);
  options.one_batch = true;
  const Output output{.folder = folder};
  const FitResult result = fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options, output);
  EXPECT_EQ(result.steps, 1);
  EXPECT_GT(result.val_loss_epoch, 0);
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(Fit, WritesItsFiles) {
  const fs::path folder = new_folder();
  std::ostringstream err;
  const Output output{.folder = folder,
                      .err = &err,
                      .hyper_parameters = {{"batch_size", 32}, {"model", "softmax"}},
                      .command = {"ch", "train"}};
  const FitResult result = fit(softmax_graph(4, 3), blobs(320), softmax_engine(), quick(), output);
  EXPECT_EQ(result.best_checkpoint, folder / "software/training_ckpts/best.ckpt");

  const io::Checkpoint last = io::read_checkpoint(result.last_checkpoint).or_throw();
  EXPECT_EQ(last.epoch, 2);
  EXPECT_EQ(last.global_step, 30);
  EXPECT_EQ(*ir::find(last.state, "linear.weight"),
            result.graph.find_parameter("linear.weight")->value);

  const auto rows = lines(read(version(folder, 0) / "metrics.csv"));
  ASSERT_EQ(rows.size(), 1u + 6 + 3);
  EXPECT_EQ(rows[0],
            "step,epoch,lr-Adam,train_loss_step,train_acc_step,train_loss_epoch,train_acc_epoch,"
            "val_loss_epoch,val_acc_epoch");
  EXPECT_THAT(rows[1], ::testing::StartsWith("4,0,0.1,"));
  EXPECT_THAT(rows[2], ::testing::StartsWith("9,0,0.1,"));
  EXPECT_THAT(rows[3], ::testing::StartsWith("9,0,,,,"));

  std::map<std::string, std::vector<std::int64_t>> steps;
  for (const auto& entry : fs::directory_iterator(version(folder, 0))) {
    if (!entry.path().filename().native().starts_with("events.")) continue;
    for (const auto& event : io::read_events(entry.path()).or_throw().scalars) {
      steps[event.tag].push_back(event.step);
    }
  }
  EXPECT_THAT(steps["train_acc_step"], ElementsAre(4, 9, 14, 19, 24, 29));
  EXPECT_THAT(steps["train_loss_step"], ElementsAre(4, 9, 14, 19, 24, 29));
  EXPECT_THAT(steps["lr-Adam"], ElementsAre(4, 9, 14, 19, 24, 29));
  EXPECT_THAT(steps["val_loss_epoch"], ElementsAre(9, 19, 29));
  EXPECT_THAT(steps["val_acc_epoch"], ElementsAre(9, 19, 29));
  EXPECT_THAT(steps["train_acc_epoch"], ElementsAre(9, 19, 29));
  EXPECT_EQ(steps.count("hp_metric"), 0u);  // Lightning's -1, which measures nothing
  EXPECT_EQ(steps["epoch"].size(), 9u);
  EXPECT_EQ(read(version(folder, 0) / "hparams.yaml"), "batch_size: 32\nmodel: softmax\n");

  const auto record = nlohmann::json::parse(read(version(folder, 0) / "run.json"));
  EXPECT_EQ(record.at("status"), "finished");
  EXPECT_EQ(record.at("command"), (nlohmann::json{"ch", "train"}));
  EXPECT_EQ(record.at("options").at("model"), "softmax");
  EXPECT_EQ(record.at("course").at("seed"), 0);
  EXPECT_EQ(record.at("data").at("sha256"), "0");
  EXPECT_EQ(record.at("engine").at("name"), "softmax");
  EXPECT_EQ(record.at("position").at("step"), 30);

  EXPECT_THAT(err.str(), HasSubstr("Trainable params"));
  EXPECT_THAT(err.str(), HasSubstr("`Trainer.fit` stopped: `max_epochs=3` reached."));
}

// What an earlier run of the same folder left keeps its content under its own number; best.ckpt is
// the newest run's.
TEST(Fit, RunsOfOneFolderDoNotMix) {
  const fs::path folder = new_folder();
  const Output output{.folder = folder};
  const fs::path checkpoints = folder / "software/training_ckpts";
  fit(softmax_graph(4, 3), blobs(320), softmax_engine(), quick(1), output);
  const std::string first = read(checkpoints / "best.ckpt");
  fit(softmax_graph(4, 3), blobs(320), softmax_engine(), quick(2), output);
  const std::string second = read(checkpoints / "best.ckpt");
  EXPECT_NE(first, second);
  EXPECT_EQ(read(checkpoints / "version_0/best.ckpt"), first);
  EXPECT_TRUE(fs::exists(checkpoints / "version_0/last.ckpt"));
  fit(softmax_graph(4, 3), blobs(320), softmax_engine(), quick(3), output);
  EXPECT_EQ(read(checkpoints / "version_0/best.ckpt"), first);
  EXPECT_EQ(read(checkpoints / "version_1/best.ckpt"), second);
  for (int n = 0; n < 3; ++n) {
    EXPECT_TRUE(fs::exists(version(folder, n) / "metrics.csv")) << n;
  }
}

// A run that never was validated does not stand beside the best of another run.
TEST(Fit, AnUnvalidatedRunLeavesNoBestOfAnother) {
  const fs::path folder = new_folder();
  const Output output{.folder = folder};
  const fs::path checkpoints = folder / "software/training_ckpts";
  fit(softmax_graph(4, 3), blobs(320), softmax_engine(), quick(1), output);
  FitOptions options = quick(5);
  options.max_steps = 3;
  const FitResult result = fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options, output);
  EXPECT_TRUE(result.best_checkpoint.empty());
  EXPECT_FALSE(fs::exists(checkpoints / "best.ckpt"));
  EXPECT_TRUE(fs::exists(checkpoints / "version_0/best.ckpt"));
}

TEST(Fit, ABatchNormOfOneRowIsRefused) {
  ir::Graph graph = softmax_graph(4, 3);
  graph.node("linear").op = "batch_norm1d";
  try {
    fit(graph, blobs(321), softmax_engine(), quick());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::RunFailed);
    EXPECT_EQ(error.where().node, "linear");
    EXPECT_THAT(error.message(), HasSubstr("321 rows leave one over in batches of 32"));
  }
}

TEST(Fit, ACheckpointOfAnotherProgramIsKept) {
  const fs::path folder = new_folder();
  const fs::path checkpoints = folder / "software/training_ckpts";
  fs::create_directories(checkpoints);
  std::ofstream(checkpoints / "best.ckpt") << "not ours";
  fit(softmax_graph(4, 3), blobs(320), softmax_engine(), quick(1), {.folder = folder});
  EXPECT_EQ(read(checkpoints / "earlier/best.ckpt"), "not ours");
}

// best.ckpt holds the epoch of the lowest validation loss, not the last one.
TEST(Fit, BestIsTheLowestValidationLoss) {
  const fs::path folder = new_folder();
  data::DataSet data = blobs(320);
  // Labels of the validation rows shifted: what is learnt makes it worse.
  for (std::int64_t& label : data.validation.labels.values_mut<std::int64_t>()) {
    label = (label + 1) % 3;
  }
  const FitResult result =
      fit(softmax_graph(4, 3), data, softmax_engine(), quick(4), {.folder = folder});
  EXPECT_EQ(io::read_checkpoint(result.best_checkpoint).or_throw().epoch, 0);
  EXPECT_EQ(io::read_checkpoint(result.last_checkpoint).or_throw().epoch, 3);
}

// Epochs of microseconds do not wait for the disk: only the end is sure to be saved.
TEST(Fit, CheckpointsAreNotWrittenFasterThanAsked) {
  const fs::path folder = new_folder();
  FitOptions options = quick(50);
  options.seconds_between_checkpoints = 3600;
  const FitResult result =
      fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options, {.folder = folder});
  const io::Checkpoint last = io::read_checkpoint(result.last_checkpoint).or_throw();
  EXPECT_EQ(last.epoch, 49);
  EXPECT_EQ(*ir::find(last.state, "linear.weight"),
            result.graph.find_parameter("linear.weight")->value);
  EXPECT_TRUE(fs::exists(result.best_checkpoint));
}

TEST(Fit, WrongOptionsAreRefused) {
  FitOptions options = quick();
  options.batch_size = 0;
  EXPECT_THROW(fit(softmax_graph(4, 3), blobs(32), softmax_engine(), options), Error);
  options = quick();
  options.resume = "last";
  EXPECT_THROW(fit(softmax_graph(4, 3), blobs(32), softmax_engine(), options), Error);
}

TEST(Test, PrintsItsTableAndLogs) {
  const fs::path folder = new_folder();
  std::ostringstream out;
  const TestResult result =
      test(softmax_graph(4, 3), blobs(320).test, softmax_engine(), 50,
           {.folder = folder, .out = &out, .width = 50, .hyper_parameters = {{"seed", 0}}});
  EXPECT_EQ(out.str(), print_test_table(result, 50));
  std::map<std::string, float> values;
  for (const auto& entry : fs::directory_iterator(version(folder, 0))) {
    if (!entry.path().filename().native().starts_with("events.")) continue;
    for (const auto& event : io::read_events(entry.path()).or_throw().scalars) {
      values[event.tag] = event.value;
    }
  }
  EXPECT_EQ(values["test_acc_epoch"], static_cast<float>(result.accuracy));
  EXPECT_EQ(values["test_loss_epoch"], static_cast<float>(result.loss));
  EXPECT_EQ(read(version(folder, 0) / "hparams.yaml"), "seed: 0\n");
}

TEST(Metrics, AreSinglePrecision) {
  MeanLoss loss;
  loss.add(0.1);
  loss.add(0.2);
  loss.add(0.4);
  EXPECT_EQ(loss.value(), static_cast<double>((0.1f + 0.2f + 0.4f) / 3.0f));
  Metrics metrics;
  metrics.add({.loss = 0, .correct = 3688, .count = 4850});
  EXPECT_EQ(metrics.accuracy(), 0.7604123950004578);
}

TEST(Predict, GivesLogitsAndClassesOfEveryRow) {
  const data::DataSet data = blobs(320);
  const FitResult fitted = fit(softmax_graph(4, 3), data, softmax_engine(), quick(3));
  const Predictions out = predict(fitted.graph, data.test, softmax_engine(), 50);
  ASSERT_EQ(out.logits.shape(), (ir::Shape{160, 3}));
  std::int64_t correct = 0;
  for (std::int64_t row = 0; row < 160; ++row) {
    const auto z = out.logits.values<float>().subspan(static_cast<std::size_t>(row) * 3, 3);
    const auto decided =
        static_cast<std::size_t>(out.classes.values<std::int64_t>()[static_cast<std::size_t>(row)]);
    EXPECT_EQ(z[decided], *std::max_element(z.begin(), z.end()));
    correct += out.classes.at(row) == data.test.labels.at(row);
  }
  const TestResult tested = test(fitted.graph, data.test, softmax_engine(), 50);
  EXPECT_EQ(tested.accuracy,
            static_cast<double>(static_cast<float>(correct) / static_cast<float>(160)));
}

}  // namespace
}  // namespace mase::train
