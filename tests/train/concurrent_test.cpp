// Runs at the same time in one project: none loses a file of another, each says where its own are.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "hook_engine.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/train/run_folder.h"
#include "mase/train/run_lock.h"
#include "mase/train/train.h"
#include "softmax_engine.h"
#include "temporary_folder.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;
using testing::blobs;
using ::testing::HasSubstr;
using testing::HookEngine;
using testing::Hooks;
using testing::softmax_engine;
using testing::softmax_graph;

constexpr std::int64_t kRows = 320;  // 10 batches of 32
constexpr std::int64_t kEpochs = 4;

FitOptions options_of(std::uint64_t seed) {
  FitOptions options;
  options.optimiser.learning_rate = 0.05;
  options.batch_size = 32;
  options.max_epochs = kEpochs;
  options.seed = seed;
  options.seconds_between_checkpoints = 0;
  return options;
}

std::string read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string state_of(const fs::path& path) {
  ir::Dict out;
  for (const auto& [name, value] : io::read_checkpoint(path).or_throw().state) {
    out.emplace_back(name, value);
  }
  return ir::repr(ir::Value(out));
}

class Concurrent : public ::testing::Test {
 protected:
  FitResult run(std::uint64_t seed, Hooks hooks = {}, const fs::path& folder = {}) {
    return run(options_of(seed), std::move(hooks), folder);
  }
  FitResult run(const FitOptions& options, Hooks hooks = {}, const fs::path& folder = {}) {
    const HookEngine engine(softmax_engine(), std::move(hooks));
    Output output{.folder = folder.empty() ? project_ : folder};
    output.log = log_ ? &*log_ : nullptr;
    return fit(softmax_graph(4, 3), blobs(kRows), engine, options, output);
  }
  // What this seed ends with when it is alone.
  std::string alone(std::uint64_t seed, const char* name) {
    const fs::path folder = new_folder();
    run(seed, {}, folder);
    return state_of(checkpoints_folder(folder) / name);
  }
  void expect_whole(const FitResult& result, std::uint64_t seed) {
    EXPECT_EQ(state_of(result.best_checkpoint), alone(seed, "best.ckpt")) << result.best_checkpoint;
    EXPECT_EQ(state_of(result.last_checkpoint), alone(seed, "last.ckpt")) << result.last_checkpoint;
  }
  fs::path last(std::int64_t version) const {
    return run_checkpoints_folder(project_, version) / "last.ckpt";
  }
  // What is logged from here on.
  void record() {
    log_.emplace((log_file_ = std::fopen(log_path_.c_str(), "w")), ColourPolicy::Never);
  }
  std::string log() {
    std::fflush(log_file_);
    return read(log_path_);
  }

  const fs::path project_ = new_folder();
  const fs::path log_path_ = new_folder() / "log";
  std::FILE* log_file_ = nullptr;
  std::optional<Log> log_;
};

Hooks at_step(int step, std::function<void()> work) {
  return {.before_step = [step, work = std::move(work)](int i) {
    if (i == step) work();
  }};
}

TEST_F(Concurrent, ARunWithinAnotherHasFilesOfItsOwn) {
  record();
  FitResult inner;
  const FitResult outer = run(1, at_step(15, [&] { inner = run(2); }));
  EXPECT_EQ(outer.last_checkpoint, checkpoints_folder(project_) / "last.ckpt");
  EXPECT_EQ(inner.last_checkpoint, last(1));
  expect_whole(outer, 1);
  expect_whole(inner, 2);
  EXPECT_THAT(log(), HasSubstr(fmt::format("another training (run 0, process {}", ::getpid())));
  EXPECT_THAT(log(), HasSubstr("those of this run 1 go to"));
}

TEST_F(Concurrent, ManyProcessesLoseNothing) {
  constexpr int kProcesses = 6;
  std::vector<pid_t> children;
  for (int seed = 0; seed < kProcesses; ++seed) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const FitResult result = run(static_cast<std::uint64_t>(seed));
      const std::string paths =
          result.best_checkpoint.string() + "\n" + result.last_checkpoint.string() + "\n";
      write_file(project_ / fmt::format("paths{}", seed), paths);
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  std::set<std::string> states;
  for (const auto& entry : fs::recursive_directory_iterator(checkpoints_folder(project_))) {
    if (entry.path().filename() != "last.ckpt") continue;
    states.insert(state_of(entry.path()));
  }
  for (int seed = 0; seed < kProcesses; ++seed) {
    const std::string own = alone(static_cast<std::uint64_t>(seed), "last.ckpt");
    EXPECT_EQ(states.count(own), 1u) << seed;
  }
}

// A run that two processes go on with at the same time is one run and a new one.
TEST_F(Concurrent, ARunIsGoneOnWithOnce) {
  record();
  FitOptions options = options_of(1);
  run(options, at_step(25, [] { std::raise(SIGINT); }));
  options.resume = "last";
  FitResult second;
  const FitResult first = run(options, at_step(3, [&] { second = run(options); }));
  EXPECT_EQ(first.last_checkpoint, checkpoints_folder(project_) / "last.ckpt");
  EXPECT_EQ(second.last_checkpoint, last(1));
  EXPECT_EQ(first.steps, 40);
  EXPECT_EQ(second.steps, 40);
  expect_whole(first, 1);
  EXPECT_EQ(state_of(second.last_checkpoint), alone(1, "last.ckpt"));
  EXPECT_THAT(log(), HasSubstr("run 0 is still at work: this is a new run"));
}

// The names are another's when the run goes on: its best so far is carried along.
TEST_F(Concurrent, ARunGoesOnBesideAnother) {
  FitOptions options = options_of(1);
  run(options, at_step(25, [] { std::raise(SIGINT); }));
  FitResult resumed;
  const FitResult other = run(2, at_step(3, [&] {
                                FitOptions again = options;
                                again.resume = "last";
                                resumed = run(again);
                              }));
  EXPECT_EQ(resumed.last_checkpoint, last(0));
  EXPECT_EQ(resumed.steps, 40);
  expect_whole(resumed, 1);
  expect_whole(other, 2);
}

TEST_F(Concurrent, LastIsThatOfTheRunThatWroteLast) {
  record();
  FitOptions options = options_of(1);
  run(options, at_step(35, [&] {
        run(2, at_step(25, [] { std::raise(SIGINT); }));
        // Whoever was beside another is told the path.
        EXPECT_THAT(log(), HasSubstr(fmt::format("Go on with: --resume {}", last(1).string())));
        // Of the two, this one wrote last.
        EXPECT_EQ(newest_checkpoint(project_, "last.ckpt"), last(1));
        EXPECT_EQ(newest_checkpoint(project_, "best.ckpt"), last(1).parent_path() / "best.ckpt");
      }));
  EXPECT_EQ(newest_checkpoint(project_, "last.ckpt"), checkpoints_folder(project_) / "last.ckpt");
  FitOptions second = options_of(2);
  second.resume = last(1);
  EXPECT_EQ(run(second).steps, 40);
}

// The logs may be removed, the checkpoints are still those of another run.
TEST_F(Concurrent, ANumberIsNotGivenTwice) {
  const std::string first = state_of(run(1).last_checkpoint);
  fs::remove_all(logs_folder(project_));
  run(2);
  EXPECT_EQ(state_of(last(0)), first);
  fs::remove_all(logs_folder(project_));
  run(3);
  EXPECT_EQ(state_of(last(0)), first);
  EXPECT_EQ(state_of(last(1)), alone(2, "last.ckpt"));
}

TEST_F(Concurrent, AProjectRemovedMeanwhileIsLockedAnew) {
  FitResult inner;
  const FitResult outer = run(1, {.before_step = [&](int i) {
                                if (i == 15) fs::remove_all(project_);
                                if (i == 25) inner = run(2);
                              }});
  expect_whole(outer, 1);
  expect_whole(inner, 2);
  EXPECT_NE(outer.last_checkpoint, inner.last_checkpoint);
}

}  // namespace
}  // namespace mase::train
