// What goes wrong in the middle of a run: the checkpoint before stays whole, and the message says
// what happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>
#include <limits>
#include <string>

#include "hook_engine.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"
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

constexpr int kStepsPerEpoch = 10;
constexpr std::int64_t kRows = std::int64_t{32} * kStepsPerEpoch;

FitOptions quick(std::int64_t epochs) {
  FitOptions options;
  options.optimiser.learning_rate = 0.1;
  options.batch_size = 32;
  options.max_epochs = epochs;
  options.seconds_between_checkpoints = 0;
  return options;
}

void run(const fs::path& folder, Hooks hooks, std::int64_t features = 4,
         const std::optional<std::string>& resume = std::nullopt) {
  const HookEngine engine(softmax_engine(), std::move(hooks));
  FitOptions options = quick(5);
  options.resume = resume;
  fit(softmax_graph(features, 3), blobs(kRows, features), engine, options, {.folder = folder});
}

// Runs in a process of its own, whose limits and rights may be changed and which may be killed.
// What it writes to the returned file is its answer: the text of the Error it ended with.
struct Outcome {
  int status = 0;
  std::string error;
  int exit_code = 0;
};
Outcome in_child(const fs::path& answer, const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    std::FILE* out = std::fopen(answer.c_str(), "w");
    int code = 0;
    try {
      work();
    } catch (const Error& error) {
      std::fputs(error.what(), out);
      code = mase::exit_code(error.kind());
    }
    std::fclose(out);
    _exit(code);
  }
  Outcome outcome;
  waitpid(child, &outcome.status, 0);
  if (WIFEXITED(outcome.status)) outcome.exit_code = WEXITSTATUS(outcome.status);
  std::ifstream in(answer);
  outcome.error.assign(std::istreambuf_iterator<char>(in), {});
  return outcome;
}

io::Checkpoint last_of(const fs::path& folder) {
  return io::read_checkpoint(folder / "software/training_ckpts/last.ckpt").or_throw();
}

void limit_file_size(rlim_t bytes) {
  const rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_FSIZE, &limit);
}

Hooks at_step(int step, std::function<void()> work) {
  return {.before_step = [step, work = std::move(work)](int i) {
    if (i == step) work();
  }};
}

class Faults : public ::testing::Test {
 protected:
  // Some tests go on as another user of the same group, who must reach the folder.
  Faults() {
    fs::permissions(::testing::TempDir(), fs::perms::group_exec | fs::perms::others_exec,
                    fs::perm_options::add);
  }
  const fs::path folder_ = new_folder();
  const fs::path answer_ = new_folder() / "answer";
};

TEST_F(Faults, ADiskThatRefusesLeavesThePreviousCheckpoint) {
  const Outcome outcome = in_child(answer_, [&] {
    std::signal(SIGXFSZ, SIG_IGN);  // writing too much then fails instead of killing
    run(folder_, at_step(2 * kStepsPerEpoch + 3, [] { limit_file_size(1500); }));
  });
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("epoch 2 (step 30)"));
  EXPECT_THAT(outcome.error, HasSubstr("the file would exceed the allowed size"));
  EXPECT_THAT(outcome.error, HasSubstr("last.ckpt of epoch 1 (step 20) is whole"));
  EXPECT_EQ(last_of(folder_).epoch, 1);
}

// A run that goes on has what it went on from, also before it wrote anything itself.
TEST_F(Faults, TheCheckpointThatARunWentOnFromIsNamed) {
  in_child(answer_, [&] { run(folder_, at_step(2 * kStepsPerEpoch, [] { _exit(0); })); });
  ASSERT_EQ(last_of(folder_).epoch, 1);
  const Outcome outcome = in_child(answer_, [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    run(folder_, at_step(3, [] { limit_file_size(1500); }), 4, "last");
  });
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("last.ckpt of epoch 1 (step 20) is whole"));
}

TEST_F(Faults, AFullDiskLeavesThePreviousCheckpoint) {
  const fs::path disk = folder_ / "disk";
  fs::create_directory(disk);
  const Outcome outcome = in_child(answer_, [&] {
    // A small disk of this process alone.
    const bool mounted = (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0) &&
                         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         mount("none", disk.c_str(), "tmpfs", 0, "size=256k") == 0;
    if (!mounted) _exit(99);
    run(disk, at_step(2 * kStepsPerEpoch + 3, [&] {
          std::ofstream filler(disk / "filler");
          while (filler.put('x').flush()) {
          }
        }));
  });
  if (outcome.exit_code == 99) GTEST_SKIP() << "no right to mount a small disk";
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, ::testing::ContainsRegex("no space left|No space left"));
  EXPECT_THAT(outcome.error, HasSubstr("last.ckpt of epoch 1 (step 20) is whole"));
}

TEST_F(Faults, AKilledWriteLeavesThePreviousCheckpoint) {
  const Outcome outcome = in_child(answer_, [&] {
    // The kernel kills the process in the middle of the write that exceeds the limit.
    std::signal(SIGXFSZ, SIG_DFL);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    run(folder_, at_step(2 * kStepsPerEpoch + 3, [] { limit_file_size(1500); }));
  });
  ASSERT_TRUE(WIFSIGNALED(outcome.status));
  EXPECT_EQ(WTERMSIG(outcome.status), SIGXFSZ);
  EXPECT_EQ(last_of(folder_).epoch, 1);
  // And from there it goes on, to the same end.
  FitOptions options = quick(5);
  options.resume = "last";
  const FitResult resumed =
      fit(softmax_graph(4, 3), blobs(kRows), softmax_engine(), options, {.folder = folder_});
  const FitResult whole = fit(softmax_graph(4, 3), blobs(kRows), softmax_engine(), quick(5));
  EXPECT_TRUE(resumed.graph.state() == whole.graph.state());
  // What the killed write left half done is gone.
  for (const auto& entry : fs::directory_iterator(folder_ / "software/training_ckpts")) {
    EXPECT_EQ(entry.path().extension(), ".ckpt") << entry.path();
  }
}

TEST_F(Faults, AReadOnlyFolderIsNamedBeforeTraining) {
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                               fs::perms::others_exec);
  const Outcome outcome = in_child(answer_, [&] {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(99);  // root may write anywhere
    run(folder_ / "project", {.before_step = [&](int) { _exit(98); }});
  });
  if (outcome.exit_code == 99) GTEST_SKIP() << "cannot drop the rights of root";
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("permission denied"));
  EXPECT_THAT(outcome.error, HasSubstr(folder_.string()));
}

TEST_F(Faults, ACheckpointFolderThatTurnsReadOnlyKeepsThePrevious) {
  const fs::path checkpoints = folder_ / "software/training_ckpts";
  fs::permissions(folder_, fs::perms::all);
  const Outcome outcome = in_child(answer_, [&] {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(99);
    run(folder_, at_step(2 * kStepsPerEpoch + 3, [&] {
          fs::permissions(checkpoints, fs::perms::owner_read | fs::perms::owner_exec |
                                           fs::perms::others_read | fs::perms::others_exec);
        }));
  });
  if (outcome.exit_code == 99) GTEST_SKIP() << "cannot drop the rights of root";
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("permission denied"));
  EXPECT_THAT(outcome.error, HasSubstr("last.ckpt of epoch 1 (step 20) is whole"));
  EXPECT_EQ(last_of(folder_).epoch, 1);
}

// The trained weights exist only in memory then: they are saved, not thrown away.
TEST_F(Faults, AFolderRemovedMeanwhileIsMadeAnew) {
  const fs::path project = folder_ / "project";
  run(project, at_step(2 * kStepsPerEpoch + 3, [&] { fs::remove_all(project); }));
  EXPECT_EQ(last_of(project).epoch, 4);
  EXPECT_TRUE(fs::exists(project / "software/tensorboard/lightning_logs/version_0/metrics.csv"));
}

TEST_F(Faults, ALossThatIsNotFiniteNamesTheData) {
  data::DataSet data = blobs(kRows);
  data.train.features.values_mut<float>()[77] = std::numeric_limits<float>::quiet_NaN();
  try {
    fit(softmax_graph(4, 3), data, softmax_engine(), quick(2), {.folder = folder_});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::RunFailed);
    EXPECT_EQ(mase::exit_code(error.kind()), 1);
    EXPECT_THAT(error.what(), HasSubstr("the loss is not finite in training, epoch 0, batch "));
    EXPECT_THAT(error.what(), HasSubstr("the data: 1 nan among the 128 input values"));
  }
  std::ifstream record(folder_ / "software/tensorboard/lightning_logs/version_0/run.json");
  const std::string text((std::istreambuf_iterator<char>(record)), {});
  EXPECT_THAT(text, HasSubstr("\"status\": \"failed\""));
  EXPECT_THAT(text, HasSubstr("not finite"));
}

TEST_F(Faults, ALossThatIsNotFiniteNamesTheLayerAndItsParameter) {
  ir::Graph graph = softmax_graph(4, 3);
  graph.find_parameter("linear.bias")->value.values_mut<float>()[1] =
      std::numeric_limits<float>::infinity();
  data::DataSet data = blobs(320);
  data.validation = {};
  try {
    fit(graph, data, softmax_engine(), quick(1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.where().node, "linear");
    EXPECT_THAT(error.what(), HasSubstr("(linear)"));
    EXPECT_THAT(error.what(), HasSubstr("its bias holds 1 inf of 3 values"));
  }
}

TEST_F(Faults, DivergingTrainingStopsAndKeepsTheEpochBefore) {
  FitOptions options = quick(5);
  options.optimiser.kind = engine::OptimiserKind::Sgd;
  options.optimiser.learning_rate = 1e38;
  EXPECT_THROW(fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options), Error);
  options.stop_on_nan = false;
  EXPECT_EQ(fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options).epochs, 5);
}

// Also where the epoch before was so short ago that its checkpoint was not yet due.
TEST_F(Faults, ARunThatFailsKeepsItsBestEpoch) {
  FitOptions options = quick(5);
  options.seconds_between_checkpoints = 3600;
  const HookEngine engine(softmax_engine(), at_step(2 * kStepsPerEpoch + 3, [] {
                            throw Error(ErrorKind::RunFailed, "the loss is not finite");
                          }));
  EXPECT_THROW(fit(softmax_graph(4, 3), blobs(kRows), engine, options, {.folder = folder_}), Error);
  auto best = io::read_checkpoint(folder_ / "software/training_ckpts/best.ckpt");
  EXPECT_EQ(std::move(best).or_throw().epoch, 1);
}

TEST_F(Faults, TheSanityCheckFindsBadValidationDataBeforeTraining) {
  data::DataSet data = blobs(320);
  data.validation.features.values_mut<float>()[3] = std::numeric_limits<float>::infinity();
  int steps = 0;
  const HookEngine engine(softmax_engine(), {.before_step = [&](int) { ++steps; }});
  EXPECT_THROW(fit(softmax_graph(4, 3), data, engine, quick(1)), Error);
  EXPECT_EQ(steps, 0);
}

}  // namespace
}  // namespace mase::train
