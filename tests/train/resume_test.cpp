// A run that was stopped anywhere and goes on ends bit for bit as one that was never stopped:
// weights, optimiser, metrics and their files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "hook_engine.h"
#include "mase/io/events/tensorboard.h"
#include "mase/io/graph/load.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"
#include "mase/train/resume.h"
#include "mase/train/train.h"
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

constexpr std::int64_t kEpochs = 4;
constexpr std::int64_t kRows = 300;  // 10 batches of 32, the last one short

FitOptions options_for(engine::OptimiserKind kind = engine::OptimiserKind::Adam) {
  FitOptions options;
  options.optimiser.kind = kind;
  options.optimiser.learning_rate = 0.05;
  options.batch_size = 32;
  options.max_epochs = kEpochs;
  options.log_every_n_steps = 3;
  options.seed = 11;
  options.seconds_between_checkpoints = 0;
  return options;
}

std::string read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

fs::path checkpoint(const fs::path& project, const char* name) {
  return project / "software/training_ckpts" / name;
}

// What TensorBoard shows of a run: the values of every tag by step, over all its event files.
std::map<std::string, std::vector<std::pair<std::int64_t, float>>> events(const fs::path& version) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(version)) {
    if (entry.path().filename().native().starts_with("events.")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::map<std::string, std::vector<std::pair<std::int64_t, float>>> out;
  for (const fs::path& file : files) {
    const io::EventFile read = io::read_events(file).or_throw();
    EXPECT_TRUE(read.complete) << file;
    for (const io::ScalarEvent& event : read.scalars) {
      out[event.tag].emplace_back(event.step, event.value);
    }
  }
  for (auto& [tag, values] : out) std::sort(values.begin(), values.end());
  return out;
}

// Everything that must be equal at the end of two runs, the order of the optimiser's slots
// included.
void expect_same_run(const fs::path& a, const fs::path& b) {
  for (const char* name : {"best.ckpt", "last.ckpt"}) {
    const io::Checkpoint x = io::read_checkpoint(checkpoint(a, name)).or_throw();
    const io::Checkpoint y = io::read_checkpoint(checkpoint(b, name)).or_throw();
    EXPECT_EQ(x.epoch, y.epoch) << name;
    EXPECT_EQ(x.global_step, y.global_step) << name;
    ASSERT_EQ(x.state.size(), y.state.size());
    for (std::size_t i = 0; i < x.state.size(); ++i) {
      EXPECT_EQ(x.state[i].first, y.state[i].first);
      EXPECT_TRUE(x.state[i].second == y.state[i].second) << name << " " << x.state[i].first;
    }
    ASSERT_EQ(x.optimiser.size(), y.optimiser.size());
    for (std::size_t i = 0; i < x.optimiser.size(); ++i) {
      EXPECT_EQ(x.optimiser[i].step, y.optimiser[i].step);
      EXPECT_TRUE(x.optimiser[i].tensors == y.optimiser[i].tensors) << name << " slot " << i;
    }
    const ir::Value mx(x.mase);
    const ir::Value my(y.mase);
    EXPECT_EQ(ir::repr(*mx.find("position")), ir::repr(*my.find("position"))) << name;
  }
  const fs::path version = "software/tensorboard/lightning_logs/version_0";
  EXPECT_EQ(read(a / version / "metrics.csv"), read(b / version / "metrics.csv"));
  EXPECT_EQ(events(a / version), events(b / version));
}

// The uninterrupted run, once per set of options.
class Resume : public ::testing::Test {
 protected:
  void whole(const FitOptions& options) {
    fit(softmax_graph(4, 3), blobs(kRows), softmax_engine(), options, {.folder = whole_});
  }
  FitResult stopped(const FitOptions& options, testing::Hooks hooks) {
    const HookEngine engine(softmax_engine(), std::move(hooks));
    return fit(softmax_graph(4, 3), blobs(kRows), engine, options, {.folder = parts_});
  }
  FitResult resume(FitOptions options, const std::string& from = "last") {
    options.resume = from;
    return fit(softmax_graph(4, 3), blobs(kRows), softmax_engine(), options, {.folder = parts_});
  }

  const fs::path whole_ = new_folder();
  const fs::path parts_ = new_folder();
};

testing::Hooks signal_at_step(int step, int signal) {
  return {.before_step = [=](int i) {
    if (i == step) std::raise(signal);
  }};
}

class ResumeAtStep : public Resume, public ::testing::WithParamInterface<int> {};

TEST_P(ResumeAtStep, EndsAsIfNeverStopped) {
  const FitOptions options = options_for();
  whole(options);
  const FitResult first = stopped(options, signal_at_step(GetParam(), SIGINT));
  EXPECT_TRUE(first.interrupted);
  EXPECT_EQ(first.signal, SIGINT);
  EXPECT_EQ(first.steps, GetParam() + 1);  // the step at which the signal came is finished
  const FitResult second = resume(options);
  EXPECT_FALSE(second.interrupted);
  EXPECT_EQ(second.steps, 40);
  expect_same_run(whole_, parts_);
}

// The first and the last step, the ends of epochs and steps inside of them.
INSTANTIATE_TEST_SUITE_P(Steps, ResumeAtStep, ::testing::Values(0, 1, 8, 9, 10, 17, 25, 38, 39));

TEST_F(Resume, AfterManyStops) {
  const FitOptions options = options_for();
  whole(options);
  stopped(options, signal_at_step(2, SIGTERM));
  for (int i = 0; i < 4; ++i) {
    FitOptions again = options;
    again.resume = "last";
    EXPECT_EQ(stopped(again, signal_at_step(4, SIGTERM)).signal, SIGTERM);
  }
  resume(options);
  expect_same_run(whole_, parts_);
}

TEST_F(Resume, AfterAStopDuringValidation) {
  const FitOptions options = options_for();
  whole(options);
  // 2 batches of the sanity check, 5 of each validation.
  const FitResult first = stopped(options, {.before_evaluate = [](int i) {
                                    if (i == 2 + 5 + 3) std::raise(SIGINT);
                                  }});
  EXPECT_EQ(first.steps, 20);
  EXPECT_EQ(first.epochs, 1);
  resume(options);
  expect_same_run(whole_, parts_);
}

TEST_F(Resume, WithMomentum) {
  const FitOptions options = options_for(engine::OptimiserKind::Sgd);
  whole(options);
  stopped(options, signal_at_step(13, SIGINT));
  resume(options);
  expect_same_run(whole_, parts_);
}

// A stop waits for the update, so that no gathered gradients are lost.
TEST_F(Resume, WithAccumulatedGradients) {
  FitOptions options = options_for();
  options.accumulate_grad_batches = 3;
  whole(options);
  const FitResult first = stopped(options, signal_at_step(13, SIGINT));
  EXPECT_EQ(first.steps, 6);  // 4 updates in the first epoch, batches 10-12 and 13-15
  resume(options);
  expect_same_run(whole_, parts_);
}

class ResumeAfterKill : public Resume, public ::testing::WithParamInterface<int> {};

TEST_P(ResumeAfterKill, EndsAsIfNeverStopped) {
  const FitOptions options = options_for();
  whole(options);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    stopped(options, signal_at_step(GetParam(), SIGKILL));
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const FitResult second = resume(options);
  EXPECT_EQ(second.steps, 40);
  expect_same_run(whole_, parts_);
}

INSTANTIATE_TEST_SUITE_P(Steps, ResumeAfterKill, ::testing::Values(10, 15, 39));

// Going back to best.ckpt is a new run that shares its beginning with the old one.
TEST_F(Resume, FromBestKeepsTheRestOfTheOldRun) {
  FitOptions options = options_for();
  data::DataSet data = blobs(kRows);
  for (std::int64_t& label : data.validation.labels.values_mut<std::int64_t>()) {
    label = (label + 1) % 3;  // the first epoch stays the best
  }
  const Output output{.folder = parts_};
  fit(softmax_graph(4, 3), data, softmax_engine(), options, output);
  const fs::path logs = parts_ / "software/tensorboard/lightning_logs";
  const std::string before = read(logs / "version_0/metrics.csv");
  options.resume = "best";
  const FitResult again = fit(softmax_graph(4, 3), data, softmax_engine(), options, output);
  EXPECT_EQ(again.steps, 40);
  EXPECT_EQ(read(logs / "version_0/metrics.csv"), before);
  EXPECT_EQ(read(logs / "version_1/metrics.csv"), before);
  EXPECT_TRUE(fs::exists(parts_ / "software/training_ckpts/version_0/last.ckpt"));
}

// The run goes on from where another run's start had moved it, with its own best.ckpt.
TEST_F(Resume, AfterAnotherRunTookItsPlace) {
  FitOptions options = options_for();
  data::DataSet data = blobs(kRows);
  for (std::int64_t& label : data.validation.labels.values_mut<std::int64_t>()) {
    label = (label + 1) % 3;  // the first epoch stays the best
  }
  const Output output{.folder = parts_};
  const HookEngine stopping(softmax_engine(), signal_at_step(25, SIGINT));
  fit(softmax_graph(4, 3), data, stopping, options, output);
  const std::string best = read(checkpoint(parts_, "best.ckpt"));
  FitOptions other = options;
  other.seed = 99;
  fit(softmax_graph(4, 3), data, softmax_engine(), other, output);
  const std::string others = read(checkpoint(parts_, "best.ckpt"));
  EXPECT_NE(best, others);
  options.resume = checkpoint(parts_, "version_0/last.ckpt").string();
  const FitResult result = fit(softmax_graph(4, 3), data, softmax_engine(), options, output);
  EXPECT_EQ(result.steps, 40);
  EXPECT_EQ(result.best_checkpoint, checkpoint(parts_, "best.ckpt"));
  EXPECT_EQ(read(checkpoint(parts_, "best.ckpt")), best);
  EXPECT_EQ(read(checkpoint(parts_, "version_1/best.ckpt")), others);
  EXPECT_FALSE(fs::exists(checkpoint(parts_, "version_0/last.ckpt")));
}

TEST_F(Resume, FurtherEpochsAfterTheEnd) {
  FitOptions options = options_for();
  fit(softmax_graph(4, 3), blobs(kRows), softmax_engine(), options, {.folder = parts_});
  options.max_epochs = 6;
  EXPECT_EQ(resume(options).epochs, 6);
  // Nothing left to do is no error.
  EXPECT_EQ(resume(options).steps, 60);
}

TEST_F(Resume, OtherBatchesInsideAnEpochAreRefused) {
  FitOptions options = options_for();
  stopped(options, signal_at_step(13, SIGINT));
  options.batch_size = 16;
  options.resume = "last";
  try {
    fit(softmax_graph(4, 3), blobs(kRows), softmax_engine(), options, {.folder = parts_});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_THAT(error.what(), HasSubstr("batch_size was 32, is 16"));
  }
}

TEST_F(Resume, AnotherNetworkOrOptimiserIsRefused) {
  FitOptions options = options_for();
  stopped(options, signal_at_step(13, SIGINT));
  options.resume = "last";
  EXPECT_THROW(
      fit(softmax_graph(5, 3), blobs(kRows, 5), softmax_engine(), options, {.folder = parts_}),
      Error);
  options.optimiser.kind = engine::OptimiserKind::Sgd;
  EXPECT_THROW(
      fit(softmax_graph(4, 3), blobs(kRows), softmax_engine(), options, {.folder = parts_}), Error);
}

TEST_F(Resume, AMissingCheckpointIsNamed) {
  try {
    resume(options_for());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unreadable);
    EXPECT_THAT(error.what(), HasSubstr("last.ckpt"));
    EXPECT_THAT(error.hint(), HasSubstr("--project"));
  }
  EXPECT_THROW(resume(options_for(), "/nowhere/x.ckpt"), Error);
}

// What stands in place of the missing file is named if it is of this network.
TEST_F(Resume, OnlyCheckpointsOfTheNetworkAreNamed) {
  FitOptions options = options_for();
  options.max_epochs = 1;
  stopped(options, {});
  fs::rename(checkpoint(parts_, "last.ckpt"), checkpoint(parts_, "older.ckpt"));
  const auto hint = [&](const ir::Graph& graph) -> std::string {
    try {
      find_resumption("last", parts_, graph);
    } catch (const Error& error) {
      return error.hint();
    }
    return "none missing";
  };
  EXPECT_THAT(hint(softmax_graph(4, 3)), HasSubstr("older.ckpt"));
  EXPECT_THAT(hint(softmax_graph(5, 3)), HasSubstr("are of another network"));
}

// All of the weights would fit, but those of a layer that is not here.
TEST_F(Resume, ALargerNetworkIsRefused) {
  const FitOptions options = options_for();
  stopped(options, signal_at_step(13, SIGINT));
  const fs::path last = checkpoint(parts_, "last.ckpt");
  io::Checkpoint larger = io::read_checkpoint(last).or_throw();
  larger.state.emplace_back("more.weight", ir::Tensor({2, 2}, ir::DType::Float32));
  io::write_lightning_checkpoint(last, larger);
  EXPECT_FALSE(io::is_checkpoint_of(softmax_graph(4, 3), last));
  try {
    resume(options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_THAT(error.what(), HasSubstr("more.weight"));
  }
}

// Networks are saved from within wrappers.
TEST_F(Resume, APrefixOfAllNamesIsTakenOff) {
  const FitOptions options = options_for();
  whole(options);
  stopped(options, signal_at_step(13, SIGINT));
  io::Checkpoint wrapped = io::read_checkpoint(checkpoint(parts_, "last.ckpt")).or_throw();
  for (auto& [name, tensor] : wrapped.state) name.insert(0, "_orig_mod.");
  for (ir::OptimiserSlot& slot : wrapped.optimiser) slot.parameter.insert(0, "_orig_mod.");
  io::write_lightning_checkpoint(checkpoint(parts_, "last.ckpt"), wrapped);
  EXPECT_EQ(find_resumption("last", parts_, softmax_graph(4, 3)).prefix, "_orig_mod.");
  resume(options);
  expect_same_run(whole_, parts_);
}

TEST_F(Resume, ADamagedCheckpointIsUnreadable) {
  fs::create_directories(checkpoint(parts_, "").parent_path());
  std::ofstream(checkpoint(parts_, "last.ckpt")) << "PK\3\4 broken";
  try {
    resume(options_for());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unreadable);
  }
}

TEST(ResumeCommand, IsTheOneTypedWithResume) {
  Output output{.folder = "/data/out/jsc-toy_cls_jsc_2024-02-10",
                .command = {"ch", "train", "jsc-toy", "jsc", "--max-epochs", "10"}};
  EXPECT_EQ(resume_command(output, "last"),
            "ch train jsc-toy jsc --max-epochs 10 --project jsc-toy_cls_jsc_2024-02-10 "
            "--resume last");
  output.command = {"ch", "train", "--resume", "best", "--project", "a b", "jsc-toy", "jsc"};
  EXPECT_EQ(resume_command(output, "last"), "ch train --project 'a b' jsc-toy jsc --resume last");
  output.command = {"ch", "train", "--load", "x.ckpt", "--load-type=pl", "jsc-toy", "--project=p"};
  output.not_again = {"--load", "--load-type"};
  EXPECT_EQ(resume_command(output, "last"), "ch train jsc-toy --project=p --resume last");
}

}  // namespace
}  // namespace mase::train
