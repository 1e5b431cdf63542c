// Early stopping: when it stops, and that a run which was stopped before goes on to the same end.
#include "mase/train/early_stopping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "hook_engine.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"
#include "softmax_engine.h"
#include "temporary_folder.h"

namespace mase::train {
namespace {

using testing::blobs;
using ::testing::HasSubstr;
using testing::HookEngine;
using testing::softmax_engine;
using testing::softmax_graph;

// The epochs a metric of these values lasts, from 1.
std::int64_t epochs_of(const EarlyStopping& options, const std::vector<double>& values) {
  Position position;
  for (const double value : values) {
    position.val_loss_epoch = value;
    position.val_acc_epoch = value;
    watch(options, position);
    ++position.epoch;
    if (has_stopped(options, position)) break;
  }
  return position.epoch;
}

TEST(EarlyStopping, WaitsForPatienceEpochsWithoutAnImprovement) {
  const std::vector<double> values{1.0, 0.8, 0.9, 0.85, 0.7, 0.71, 0.72, 0.73, 0.1};
  EXPECT_EQ(epochs_of({.patience = 3}, values), 8);
  EXPECT_EQ(epochs_of({.patience = 2}, values), 4);
  EXPECT_EQ(epochs_of({.patience = 0}, values), 3);
  EXPECT_EQ(epochs_of({.patience = 9}, values), 9);
  // Of an accuracy, more is better.
  EXPECT_EQ(epochs_of({.monitor = "val_acc_epoch", .patience = 2}, values), 3);
}

TEST(EarlyStopping, ChangesUpToMinDeltaAreNone) {
  const std::vector<double> falling{1.0, 0.95, 0.9, 0.85, 0.8};
  EXPECT_EQ(epochs_of({.patience = 2, .min_delta = 0.2}, falling), 3);
  EXPECT_EQ(epochs_of({.patience = 2, .min_delta = 0.04}, falling), 5);
  EXPECT_EQ(epochs_of({.patience = 1, .min_delta = 0.0}, {1.0, 1.0}), 2);
}

FitOptions stopping_options() {
  FitOptions options;
  options.optimiser.learning_rate = 0.05;
  options.batch_size = 32;
  options.max_epochs = 40;
  options.seconds_between_checkpoints = 0;
  options.early_stopping = {.monitor = "val_acc_epoch", .patience = 2, .min_delta = 0.01};
  return options;
}

TEST(EarlyStopping, AStoppedRunGoesOnToTheSameEnd) {
  FitOptions options = stopping_options();
  const auto whole_folder = new_folder();
  const FitResult whole =
      fit(softmax_graph(4, 3), blobs(300), softmax_engine(), options, {.folder = whole_folder});
  EXPECT_TRUE(whole.stopped_early);
  ASSERT_GE(whole.epochs, 3);
  EXPECT_LT(whole.epochs, 40);
  const auto parts = new_folder();
  const int last_epoch = static_cast<int>(whole.steps) - 15;  // after the first epoch of waiting
  const HookEngine engine(softmax_engine(), {.before_step = [=](int i) {
                            if (i == last_epoch) std::raise(SIGINT);
                          }});
  ASSERT_TRUE(fit(softmax_graph(4, 3), blobs(300), engine, options, {.folder = parts}).interrupted);
  options.resume = "last";
  const FitResult second =
      fit(softmax_graph(4, 3), blobs(300), softmax_engine(), options, {.folder = parts});
  EXPECT_EQ(second.epochs, whole.epochs);
  EXPECT_EQ(second.graph.state(), whole.graph.state());
  // Lightning's callback finds its state.
  const io::Checkpoint last = io::read_checkpoint(second.last_checkpoint).or_throw();
  const ir::Value* callback =
      ir::find(last.callbacks, "EarlyStopping{'monitor': 'val_acc_epoch', 'mode': 'max'}");
  ASSERT_NE(callback, nullptr);
  EXPECT_EQ(*callback->find("wait_count"), ir::Value(2));
  // At its end already: nothing is trained; more patience goes on.
  EXPECT_EQ(
      fit(softmax_graph(4, 3), blobs(300), softmax_engine(), options, {.folder = parts}).steps,
      whole.steps);
  options.early_stopping->patience = 4;
  EXPECT_GT(
      fit(softmax_graph(4, 3), blobs(300), softmax_engine(), options, {.folder = parts}).steps,
      whole.steps);
}

TEST(EarlyStopping, TakesOverWhatLightningsCallbackRemembers) {
  const EarlyStopping options{.patience = 5};
  Position there;
  there.epoch = 6;
  there.stopping_epoch = 3;
  there.stopping_best = 0.25;
  there.stopping_wait = 2;
  Position here;
  here.epoch = 6;
  take_stopping({stopping_callback(options, there)}, options, here);
  EXPECT_EQ(here.stopping_wait, 2);
  EXPECT_EQ(here.stopping_best, 0.25);
}

TEST(EarlyStopping, NeedsWhatItWatches) {
  data::DataSet data = blobs(300);
  data.validation = {};
  try {
    fit(softmax_graph(4, 3), data, softmax_engine(),
        {.batch_size = 32, .early_stopping = EarlyStopping{}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_THAT(error.message(), HasSubstr("no rows for validation"));
  }
}

}  // namespace
}  // namespace mase::train
