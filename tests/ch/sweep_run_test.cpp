// ch sweep as a person runs it: a slice of a shipped file, stops and kills, the number of jobs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/ch/transcript.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class SweepCommand : public testing::Test {
 protected:
  SweepCommand() : folder_(testing::TempDir() + "/sweep") { fs::create_directories(folder_); }
  ~SweepCommand() override { fs::remove_all(folder_); }

  transcript::Outcome run(const std::string& command) { return transcript::run(command, folder_); }
  std::string text(const std::string& file) {
    std::ifstream in(folder_ / "mase_output" / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // The runs of a sweep by their settings, without what differs from time to time.
  std::vector<std::string> runs(const std::string& project) {
    std::vector<std::string> out;
    const json sweep = json::parse(text(project + "/sweep/sweep.json"));
    for (json run : sweep.at("runs")) {
      run.erase("seconds");
      run.erase("folder");
      out.push_back(run.dump());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  const fs::path folder_;
};

const std::string kSmall =
    "ch sweep toy_tiny toy_tiny --batch-size 128,256 --learning-rate 1e-2,1e-3 --seed 0..1 "
    "--max-epochs 3 --project ";

TEST_F(SweepCommand, DoesNotDependOnTheNumberOfJobs) {
  EXPECT_EQ(run(kSmall + "one --jobs 1").exit_code, 0);
  EXPECT_EQ(run(kSmall + "three --jobs 3").exit_code, 0);
  EXPECT_EQ(runs("one").size(), 8u);
  EXPECT_EQ(runs("one"), runs("three"));
}

TEST_F(SweepCommand, IsWhatTrainAndTestSay) {
  run(kSmall + "s");
  run("ch train toy_tiny toy_tiny --batch-size 256 --learning-rate 1e-2 --seed 1 --max-epochs 3 "
      "--cpu 1 --project t");
  const auto tested =
      run("ch test toy_tiny toy_tiny --load mase_output/t --batch-size 256 --json "
          "2>/dev/null");
  const json result = json::parse(text("s/sweep/sweep.json"));
  const auto& all = result.at("runs");
  const auto same = std::find_if(all.begin(), all.end(), [](const json& r) {
    return r.at("settings") == json{{"batch_size", 256}, {"learning_rate", 0.01}, {"seed", 1}};
  });
  ASSERT_NE(same, all.end());
  const json by_hand = json::parse(tested.output);
  EXPECT_EQ(same->at("test_acc"), by_hand.at("test_acc_epoch"));
  EXPECT_EQ(same->at("test_loss"), by_hand.at("test_loss_epoch"));
}

TEST_F(SweepCommand, GoesOnAfterKillNineAndCtrlC) {
  ASSERT_EQ(run(kSmall + "whole").exit_code, 0);
  // Where it is met does not matter, also before the first run or after the last.
  const std::string command = kSmall + "stopped --jobs 2";
  run("timeout -s KILL 0.15 " + command);
  run("timeout -s INT 0.15 " + command);
  EXPECT_EQ(run(command).exit_code, 0);
  EXPECT_EQ(runs("stopped"), runs("whole"));
  EXPECT_THAT(run(command).output, HasSubstr("8 runs had finished before and were not repeated"));
}

TEST_F(SweepCommand, SaysOnCtrlCHowToGoOn) {
  const std::string command =
      "ch sweep toy_tiny toy_tiny --seed 0,1 --max-epochs 1000000 --project long";
  const auto stopped = run(command +
                           " & while ! ls mase_output/long/sweep/runs/* >/dev/null 2>&1; do "
                           "sleep 0.02; done; kill -INT $!; wait $!");
  EXPECT_EQ(stopped.exit_code, 130) << stopped.output;
  EXPECT_THAT(stopped.output, HasSubstr("Stopped by Ctrl-C: 0 of 2 runs are finished"));
  EXPECT_THAT(stopped.output, HasSubstr("Go on with: " + command + "\n"));
  EXPECT_THAT(text("long/sweep/state.json"), HasSubstr("\"interrupted\""));
}

TEST_F(SweepCommand, AFailedRunMakesItOne) {
  const auto outcome =
      run("ch sweep toy_tiny toy_tiny --training-optimizer sgd --learning-rate 1e38,1e-2 "
          "--max-epochs 2 --seed 0,1 --project f");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output, HasSubstr("failed: learning_rate=1e+38, seed=0: the loss is not"));
  const json result = json::parse(text("f/sweep/sweep.json"));
  EXPECT_EQ(result.at("configurations")[0].at("failed"), 2);
  EXPECT_EQ(result.at("configurations")[1].at("finished"), 2);
  EXPECT_THAT(text("f/sweep/sweep.csv"), HasSubstr("1e+38,1,failed,"));
  EXPECT_THAT(text("f/sweep/sweep.html"), HasSubstr("class=\"failed\">failed"));
}

TEST_F(SweepCommand, GoesOnOnAnotherDay) {
  const std::string command = "ch sweep toy_tiny toy_tiny --seed 0,1 --max-epochs 1";
  EXPECT_EQ(run(command).exit_code, 0);
  run("mv mase_output/toy_tiny_* mase_output/toy_tiny_classification_toy_tiny_2024-02-10");
  EXPECT_THAT(run(command).output, HasSubstr("2 runs had finished before"));
}

TEST_F(SweepCommand, JsonIsAllThatStandardOutputHolds) {
  const auto outcome =
      run("ch sweep toy_tiny toy_tiny --seed 0,1 --max-epochs 1 --json 2>/dev/null");
  const json parsed = json::parse(outcome.output, nullptr, false);
  ASSERT_FALSE(parsed.is_discarded()) << outcome.output;
  EXPECT_EQ(parsed.at("configurations").size(), 1u);
}

TEST_F(SweepCommand, DataHeldBackForValidationFollowsTheSeed) {
  const std::string common = " --val-fraction 0.25 --max-epochs 1 --project ";
  EXPECT_EQ(run("ch sweep toy_tiny toy_tiny --seed 0,1" + common + "both").exit_code, 0);
  EXPECT_EQ(run("ch sweep toy_tiny toy_tiny --seed 1" + common + "one").exit_code, 0);
  const json both = json::parse(text("both/sweep/sweep.json"));
  const json one = json::parse(text("one/sweep/sweep.json"));
  EXPECT_EQ(both.at("runs")[1].at("key"), one.at("runs")[0].at("key"));
  EXPECT_EQ(both.at("runs")[1].at("best_val_loss"), one.at("runs")[0].at("best_val_loss"));
}

// Every file is whole: it can be planned, and what it names exists.
TEST_F(SweepCommand, PlansEveryShippedFile) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(MASE_SOURCE_DIR "/configs/sweeps")) {
    const auto outcome = run("ch sweep --config '" + entry.path().string() + "' --dry-run");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("would train "));
    ++files;
  }
  EXPECT_GE(files, 4);
}

// A slice of the networks' table with the relations people find in it. The bounds are those of the
// reference accuracies on these rows (0.745 to 0.751 for the larger networks, 0.583 to 0.716 for
// jsc-tiny) with room for a short run.
TEST_F(SweepCommand, RunsASliceOfAShippedFile) {
  const auto outcome =
      run("ch sweep --config '" MASE_SOURCE_DIR
          "/configs/sweeps/jsc_networks.toml' --seed 0 --max-epochs 3 --project n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const json result = json::parse(text("n/sweep/sweep.json"));
  ASSERT_EQ(result.at("runs").size(), 6u);
  std::map<std::string, double> accuracy;
  for (const json& run : result.at("runs")) {
    accuracy[run.at("settings").at("model").get<std::string>() + " " +
             run.at("settings").at("batch_size").dump()] = run.at("test_acc");
  }
  EXPECT_GT(accuracy.at("jsc-1k 128"), accuracy.at("jsc-tiny 128"));
  EXPECT_GT(accuracy.at("jsc-toy 256"), accuracy.at("jsc-10x 256")) << "whose rate is too small";
  EXPECT_GT(accuracy.at("jsc-toy 256"), 0.72);
  EXPECT_LT(accuracy.at("jsc-toy 256"), 0.77);
  EXPECT_GT(accuracy.at("jsc-tiny 128"), 0.4);
}

}  // namespace
