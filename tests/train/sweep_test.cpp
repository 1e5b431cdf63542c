// Sweeps on the small engine: what they come to, how they go on after a stop, what they refuse.
#include "mase/train/sweep/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "hook_engine.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"
#include "mase/train/run_folder.h"
#include "mase/train/sweep/curves.h"
#include "softmax_engine.h"
#include "temporary_folder.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;
using testing::blobs;
using ::testing::HasSubstr;
using testing::HookEngine;
using testing::softmax_engine;
using testing::softmax_graph;

constexpr std::int64_t kRows = 320;
constexpr std::int64_t kEpochs = 3;

std::shared_ptr<const data::DataSet> rows() {
  static const auto data = std::make_shared<const data::DataSet>(blobs(kRows));
  return data;
}

SweepRun one(std::int64_t batch_size, double rate, int seed) {
  SweepRun run;
  run.settings = {{"batch_size", batch_size}, {"learning_rate", rate}, {"seed", seed}};
  run.graph = [seed] {
    ir::Graph graph = softmax_graph(4, 3);
    graph.find_parameter("linear.bias")->value.values_mut<float>()[0] = 0.01f * seed;
    return graph;
  };
  run.data = rows();
  run.own_engine = &softmax_engine();
  run.fit.optimiser.learning_rate = rate;
  run.fit.batch_size = batch_size;
  run.fit.max_epochs = kEpochs;
  run.fit.seed = static_cast<std::uint64_t>(seed);
  run.fit.seconds_between_checkpoints = 0;
  return run;
}

std::vector<SweepRun> grid() {
  std::vector<SweepRun> runs;
  for (const std::int64_t batch_size : {32, 64}) {
    for (const double rate : {0.1, 0.01}) {
      for (int seed = 0; seed < 2; ++seed) runs.push_back(one(batch_size, rate, seed));
    }
  }
  return runs;
}

void use(std::vector<SweepRun>& runs, const engine::Engine& engine) {
  for (SweepRun& run : runs) run.own_engine = &engine;
}

ir::State weights(const RunOutcome& run) {
  return io::read_checkpoint(checkpoints_folder(run.folder) / "last.ckpt").or_throw().state;
}

// Everything but times.
void expect_same(const RunOutcome& a, const RunOutcome& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.epochs, b.epochs);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.measured.train_loss_step, b.measured.train_loss_step);
  EXPECT_EQ(a.measured.train_loss_epoch, b.measured.train_loss_epoch);
  EXPECT_EQ(a.measured.best_val_loss, b.measured.best_val_loss);
  EXPECT_EQ(a.measured.best_val_acc, b.measured.best_val_acc);
  EXPECT_EQ(a.measured.test_loss, b.measured.test_loss);
  EXPECT_EQ(a.measured.test_acc, b.measured.test_acc);
  EXPECT_TRUE(weights(a) == weights(b)) << settings_text(a.settings);
}

void expect_same(const SweepResult& a, const SweepResult& b) {
  ASSERT_EQ(a.runs.size(), b.runs.size());
  for (std::size_t i = 0; i < a.runs.size(); ++i) expect_same(a.runs[i], b.runs[i]);
}

class Sweep : public ::testing::Test {
 protected:
  SweepOptions in(const std::string& name, int jobs = 2) {
    return {.folder = folder_ / name, .jobs = jobs};
  }
  const fs::path folder_ = new_folder();
};

TEST_F(Sweep, DoesNotDependOnTheNumberOfJobsNorOnTheOrder) {
  const SweepResult first = sweep(grid(), in("one", 1));
  ASSERT_EQ(first.runs.size(), 8u);
  for (const RunOutcome& run : first.runs) EXPECT_EQ(run.status, RunStatus::Finished);
  expect_same(first, sweep(grid(), in("three", 3)));
  std::vector<SweepRun> backwards = grid();
  std::reverse(backwards.begin(), backwards.end());
  SweepResult last = sweep(backwards, in("backwards"));
  std::reverse(last.runs.begin(), last.runs.end());
  expect_same(first, last);
}

TEST_F(Sweep, IsWhatFitAndTestAreByThemselves) {
  const SweepRun run = one(32, 0.1, 1);
  const SweepResult result = sweep({run}, in("sweep"));
  const FitResult fitted = fit(run.graph(), *rows(), softmax_engine(), run.fit);
  const TestResult tested = test(fitted.graph, rows()->test, softmax_engine(), 32);
  const RunOutcome& outcome = result.runs.at(0);
  EXPECT_EQ(outcome.epochs, kEpochs);
  EXPECT_EQ(outcome.steps, fitted.steps);
  EXPECT_EQ(outcome.parameters, run.graph().parameter_count());
  // metrics.csv holds the digits of single precision, as all that is printed.
  EXPECT_EQ(static_cast<float>(outcome.measured.val_loss_epoch),
            static_cast<float>(fitted.val_loss_epoch));
  // On these rows every epoch improves, so the best checkpoint is the last.
  EXPECT_EQ(outcome.measured.best_epoch, kEpochs - 1);
  EXPECT_EQ(outcome.measured.test_loss, tested.loss);
  EXPECT_EQ(outcome.measured.test_acc, tested.accuracy);
  EXPECT_EQ(read_curves(outcome.folder).size(), static_cast<std::size_t>(kEpochs));
}

TEST_F(Sweep, TestsTheBestCheckpoint) {
  // Learning the rows makes it worse on the same rows with other labels.
  SweepRun run = one(32, 0.1, 0);
  auto data = std::make_shared<data::DataSet>(*rows());
  data->test = data->train;
  for (std::int64_t& label : data->test.labels.values_mut<std::int64_t>()) label = (label + 1) % 3;
  data->validation = data->test;
  run.data = data;
  const RunOutcome outcome = sweep({run}, in("sweep")).runs.at(0);
  EXPECT_EQ(outcome.measured.best_epoch, 0);
  EXPECT_LT(outcome.measured.best_val_loss, outcome.measured.val_loss_epoch);
  EXPECT_EQ(static_cast<float>(outcome.measured.test_loss),
            static_cast<float>(outcome.measured.best_val_loss));
  EXPECT_EQ(static_cast<float>(outcome.measured.test_acc),
            static_cast<float>(outcome.measured.best_val_acc));
}

TEST_F(Sweep, RepeatsNothingThatFinished) {
  std::atomic<int> steps = 0;
  const HookEngine engine(softmax_engine(), {.before_step = [&](int) { ++steps; }});
  std::vector<SweepRun> runs = grid();
  use(runs, engine);
  const SweepResult first = sweep(runs, in("sweep"));
  EXPECT_EQ(steps, 4 * kEpochs * 10 + 4 * kEpochs * 5);
  steps = 0;
  const SweepResult again = sweep(runs, in("sweep"));
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(again.reused, 8);
  expect_same(first, again);

  // One setting of one run changes, one is new: these two run.
  runs[0].fit.max_epochs = kEpochs + 1;
  runs.push_back(one(64, 0.1, 7));
  use(runs, engine);
  const SweepResult changed = sweep(runs, in("sweep"));
  EXPECT_EQ(changed.reused, 7);
  EXPECT_EQ(steps, (kEpochs + 1) * 10 + kEpochs * 5);
  EXPECT_NE(changed.runs[0].folder, first.runs[0].folder);

  // To have a run again, its folder is removed.
  fs::remove_all(changed.runs[1].folder);
  steps = 0;
  EXPECT_EQ(sweep(runs, in("sweep")).reused, 8);
  EXPECT_EQ(steps, kEpochs * 10);
}

TEST_F(Sweep, OtherDataOrWeightsAreAnotherRun) {
  const SweepResult first = sweep({one(32, 0.1, 0)}, in("sweep"));
  SweepRun other = one(32, 0.1, 0);
  auto data = std::make_shared<data::DataSet>(*rows());
  data->hash = "another";
  other.data = data;
  EXPECT_EQ(sweep({other}, in("sweep")).reused, 0);
  other = one(32, 0.1, 0);
  other.graph = one(32, 0.1, 5).graph;
  EXPECT_EQ(sweep({other}, in("sweep")).reused, 0);
  EXPECT_EQ(sweep({one(32, 0.1, 0)}, in("sweep")).reused, 1);
}

TEST_F(Sweep, AFailedRunDoesNotStopTheOthersAndIsTriedAgain) {
  std::vector<SweepRun> runs = grid();
  runs[2].fit.optimiser.kind = engine::OptimiserKind::Sgd;
  runs[2].fit.optimiser.learning_rate = 1e38;
  int told = 0;
  SweepOptions options = in("sweep");
  options.on_run = [&](const RunOutcome& run) { told += run.status == RunStatus::Failed; };
  const SweepResult result = sweep(runs, options);
  EXPECT_EQ(result.failed(), 1);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(result.runs[2].status, RunStatus::Failed);
  EXPECT_THAT(result.runs[2].reason, HasSubstr("the loss is not finite in training"));
  for (const std::size_t i : {0, 1, 3, 4, 5, 6, 7}) {
    EXPECT_EQ(result.runs[i].status, RunStatus::Finished) << i;
  }
  const SweepResult again = sweep(runs, options);
  EXPECT_EQ(again.reused, 7);
  EXPECT_EQ(again.failed(), 1);
  EXPECT_EQ(told, 2);
}

TEST_F(Sweep, GoesOnAfterKillNineWhereEachRunWas) {
  std::vector<SweepRun> runs = grid();
  const SweepResult whole = sweep(runs, in("whole"));
  const pid_t child = fork();
  if (child == 0) {
    // In the third run, in the middle of its second epoch.
    std::atomic<int> compiled = 0;
    const HookEngine engine(softmax_engine(), {.before_step = [&](int i) {
                              if (i == 0) ++compiled;
                              if (compiled == 3 && i == 15) kill(getpid(), SIGKILL);
                            }});
    use(runs, engine);
    sweep(runs, in("killed", 1));
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));

  std::atomic<int> steps = 0;
  const HookEngine engine(softmax_engine(), {.before_step = [&](int) { ++steps; }});
  use(runs, engine);
  const SweepResult result = sweep(runs, in("killed"));
  // One that had finished but was not yet noted is tested again, not trained.
  EXPECT_LE(result.reused, 2);
  // The longest go first: batches of 32. The third lacks what came after its first epoch.
  EXPECT_EQ(steps, 20 + 1 * 30 + 4 * 15);
  expect_same(whole, result);
}

TEST_F(Sweep, StopsAtAStepOnASignalAndGoesOn) {
  std::vector<SweepRun> runs = grid();
  const SweepResult whole = sweep(runs, in("whole"));
  std::atomic<int> steps = 0;
  const HookEngine engine(softmax_engine(), {.before_step = [&](int) {
                            if (++steps == 50) raise(SIGINT);
                          }});
  use(runs, engine);
  const SweepResult stopped = sweep(runs, in("stopped"));
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.signal, SIGINT);
  EXPECT_LT(steps, 180) << "all of them";
  EXPECT_GE(std::count_if(stopped.runs.begin(), stopped.runs.end(),
                          [](const RunOutcome& r) { return r.status == RunStatus::Interrupted; }),
            1);
  steps = 1000;
  const SweepResult result = sweep(runs, in("stopped"));
  EXPECT_FALSE(result.interrupted);
  expect_same(whole, result);
}

TEST_F(Sweep, WhatACallbackThrowsEndsIt) {
  SweepOptions options = in("sweep", 1);
  options.on_run = [](const RunOutcome&) { throw Error(ErrorKind::RunFailed, "enough"); };
  EXPECT_THROW(sweep(grid(), options), Error);
  // What had finished counts.
  EXPECT_GE(sweep(grid(), in("sweep")).reused, 1);
}

TEST_F(Sweep, RefusesEverythingWrongAtOnceBeforeTheFirstRun) {
  std::vector<SweepRun> runs = grid();
  runs[1].fit.batch_size = 0;
  runs[4].fit.max_epochs = -2;
  try {
    sweep(runs, in("sweep"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_THAT(error.what(), HasSubstr("2 problems"));
    EXPECT_THAT(error.what(), HasSubstr("seed=1: batch_size must be at least 1, not 0"));
    EXPECT_THAT(error.what(), HasSubstr("max_epochs must not be negative"));
  }
  EXPECT_FALSE(fs::exists(folder_ / "sweep"));
  EXPECT_THROW(sweep({}, in("sweep")), Error);
  EXPECT_THROW(sweep(grid(), {}), Error);
}

TEST_F(Sweep, RunsThatAreTheSameRunOnce) {
  std::atomic<int> steps = 0;
  const HookEngine engine(softmax_engine(), {.before_step = [&](int) { ++steps; }});
  std::vector<SweepRun> runs = {one(32, 0.1, 0), one(32, 0.1, 0)};
  runs[1].settings = {{"called", "otherwise"}};
  use(runs, engine);
  const SweepResult result = sweep(runs, in("sweep"));
  EXPECT_EQ(steps, kEpochs * 10);
  EXPECT_EQ(result.runs[1].status, RunStatus::Finished);
  EXPECT_EQ(result.runs[1].measured.test_loss, result.runs[0].measured.test_loss);
  EXPECT_EQ(settings_text(result.runs[1].settings), "called=otherwise");
}

TEST_F(Sweep, OneSweepAtATimeInAFolder) {
  SweepOptions options = in("sweep");
  std::string refused;
  options.on_run = [&](const RunOutcome&) {
    try {
      sweep(grid(), in("sweep"));
    } catch (const Error& error) {
      refused = error.what();
    }
  };
  sweep({one(32, 0.1, 0)}, options);
  EXPECT_THAT(refused, HasSubstr("another sweep is at work in this folder"));
}

// What parses and is of another kind than it should be is unreadable, too.
TEST_F(Sweep, AStateWithAnotherKindOfValueIsUnreadable) {
  sweep({one(32, 0.1, 0)}, in("sweep"));
  const fs::path file = folder_ / "sweep/state.json";
  std::ifstream in_file(file);
  const auto good = nlohmann::ordered_json::parse(in_file);
  const std::string key = good.at("runs").begin().key();
  nlohmann::ordered_json deep = 1;
  for (int i = 0; i < 100; ++i) deep = nlohmann::ordered_json::array({deep});
  const std::vector<std::pair<std::string, nlohmann::ordered_json>> wrong = {
      {"settings", nullptr},       {"settings", {1, 2}},
      {"settings", {{"a", deep}}}, {"status", 1},
      {"folder", nullptr},         {"folder", "../elsewhere"},
      {"folder", "/tmp"},          {"seconds", "long"},
      {"measured", nullptr},       {"measured", {{"test_acc", "high"}}}};
  for (const auto& [name, value] : wrong) {
    nlohmann::ordered_json state = good;
    state["runs"][key][name] = value;
    std::ofstream(file) << state.dump();
    try {
      sweep({one(32, 0.1, 0)}, in("sweep"));
      FAIL() << name << value;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Unreadable) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("state.json"));
    }
  }
}

TEST_F(Sweep, AStateThatIsNoneOfOursIsNotOverwritten) {
  sweep({one(32, 0.1, 0)}, in("sweep"));
  const fs::path file = folder_ / "sweep/state.json";
  for (const std::string text : {"{\"format\": 1, \"runs\": {\"k\": 3}}", "half a fi", "[]"}) {
    std::ofstream(file) << text;
    try {
      sweep(grid(), in("sweep"));
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Unreadable);
      EXPECT_THAT(error.what(), HasSubstr("state.json"));
    }
    std::ifstream in(file);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
  }
}

TEST_F(Sweep, TellsHowFarItIs) {
  SweepOptions options = in("sweep");
  SweepStatus last;
  std::int64_t calls = 0;
  options.on_progress = [&](const SweepStatus& status) {
    EXPECT_GE(status.finished, last.finished);
    EXPECT_EQ(status.total, 8);
    last = status;
    if (++calls == 1) {
      EXPECT_EQ(status.left(), 8);
    }
    last.best = nullptr;
    if (status.finished == 8) {
      ASSERT_TRUE(status.best);
      EXPECT_NEAR(status.remaining, 0, 1e-6);  // sums of rounded work
    }
  };
  sweep(grid(), options);
  EXPECT_EQ(last.finished, 8);
  EXPECT_GE(calls, 2);
}

}  // namespace
}  // namespace mase::train
