// `ch train` as a person types it: what options mean together, and what is said about them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/ch/transcript.h"

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class TrainRun : public testing::Test {
 protected:
  TrainRun() { fs::create_directories(folder_); }
  ~TrainRun() override { fs::remove_all(folder_); }

  transcript::Outcome train(const std::string& options) {
    return transcript::run("ch train toy_tiny toy_tiny --batch-size 8 --project p " + options,
                           folder_);
  }
  std::string metrics(const std::string& version = "version_0") const {
    return transcript::text_of(folder_ / "mase_output/p/software/tensorboard/lightning_logs" /
                               version / "metrics.csv");
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / "train_run";
  const std::string last_ = "mase_output/p/software/training_ckpts/last.ckpt";
};

TEST_F(TrainRun, LoadAndResumeExcludeEachOther) {
  ASSERT_EQ(train("--max-epochs 1").exit_code, 0);
  const transcript::Outcome both = train("--max-epochs 2 --load " + last_ + " --resume");
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.output, HasSubstr("--load and --resume cannot both be had"));
  // What the file names is given way to what was typed.
  std::ofstream(folder_ / "c.toml") << "load_name = \"" << last_ << "\"\n";
  const transcript::Outcome typed = train("--max-epochs 2 --config c.toml --resume");
  EXPECT_EQ(typed.exit_code, 0) << typed.output;
  EXPECT_THAT(typed.output, HasSubstr("WARNING"));
  EXPECT_THAT(typed.output, HasSubstr("is not used: --resume goes on"));
}

TEST_F(TrainRun, StepsAreLoggedNeverWhenAskedTo) {
  ASSERT_EQ(train("--max-epochs 3 --log-every-n-steps 0").exit_code, 0);
  std::istringstream lines(metrics());
  std::string line;
  std::getline(lines, line);  // the header
  int rows = 0;
  for (; std::getline(lines, line); ++rows) {
    EXPECT_THAT(line, HasSubstr(",,,,")) << "no rate, no step's loss and accuracy";
  }
  EXPECT_EQ(rows, 3);
}

TEST_F(TrainRun, NoLimitOfStepsIsNoMistake) {
  const transcript::Outcome outcome = train("--max-epochs 1 --max-steps -1");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, Not(HasSubstr("WARNING")));
}

TEST_F(TrainRun, AnInstructionSetThatDoesNotExistIsAnError) {
  const transcript::Outcome outcome = transcript::run(
      "MASE_NATIVE_ISA=sse9 ch train toy_tiny toy_tiny --engine native --project p", folder_);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("MASE_NATIVE_ISA=sse9: there is no such instruction set"));
  EXPECT_THAT(outcome.output, HasSubstr("portable"));
}

TEST_F(TrainRun, EarlyStoppingSaysWhyItStops) {
  const transcript::Outcome outcome =
      train("--max-epochs 50 --early-stopping --patience 2 --min-delta 10");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output,
              HasSubstr("Monitored metric val_loss_epoch did not improve in the last 2 records"));
  EXPECT_THAT(outcome.output, HasSubstr("`Trainer.fit` stopped: `trainer.should_stop` was set."));
  const transcript::Outcome again =
      train("--max-epochs 50 --early-stopping --patience 2 --min-delta 10 --resume");
  EXPECT_THAT(again.output, HasSubstr("The run had ended, by early stopping"));
  // Its settings do nothing alone, which is said.
  EXPECT_THAT(train("--max-epochs 1 --patience 2").output,
              HasSubstr("patience has no effect without early_stopping"));
}

TEST_F(TrainRun, DeterministicIsForTheNativeEngine) {
  const transcript::Outcome outcome = train("--max-epochs 1 --deterministic --engine torch");
  EXPECT_EQ(outcome.exit_code, 4) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("deterministic"));
}

TEST_F(TrainRun, AnotherInstructionSetIsNamedWhenGoingOn) {
  const std::string command =
      "ch train toy_tiny toy_tiny --batch-size 8 --project p --engine native ";
  const auto with = [&](const std::string& isa, const std::string& options) {
    return transcript::run("MASE_NATIVE_ISA=" + isa + " " + command + options, folder_);
  };
  if (with("avx2", "--max-epochs 1").exit_code != 0) GTEST_SKIP() << "there is one set only";
  EXPECT_THAT(with("portable", "--max-epochs 2 --resume").output,
              HasSubstr("the run was computed with 'avx2', here it is 'portable'"));
  fs::remove_all(folder_ / "mase_output");
  ASSERT_EQ(with("avx2", "--max-epochs 1 --deterministic").exit_code, 0);
  EXPECT_THAT(with("portable", "--max-epochs 2 --deterministic --resume").output,
              Not(HasSubstr("the run was computed with")));
}

// Nothing that was not measured is printed, and a run that had ended says so.
TEST_F(TrainRun, ARunThatHadEndedSaysSo) {
  ASSERT_EQ(train("--max-epochs 2").exit_code, 0);
  EXPECT_THAT(train("--max-epochs 2 --resume").output,
              HasSubstr("The run had ended: all 2 epochs are done"));
  const transcript::Outcome fewer = train("--max-epochs 1 --resume");
  EXPECT_EQ(fewer.exit_code, 0);
  EXPECT_THAT(fewer.output, HasSubstr("2 epochs are done already, more than the 1 asked for"));
}

}  // namespace
