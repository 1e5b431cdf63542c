// Every transcript of tests/ch/transcripts against the built program.
#include "tests/ch/transcript.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace fs = std::filesystem;

namespace {

std::vector<std::string> transcripts() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(MASE_SOURCE_DIR "/tests/ch/transcripts")) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Transcript : public testing::TestWithParam<std::string> {};

TEST_P(Transcript, SaysWhatItSaid) {
  const fs::path file = fs::path(MASE_SOURCE_DIR "/tests/ch/transcripts") / (GetParam() + ".txt");
  const fs::path folder = fs::path(testing::TempDir()) / GetParam();
  fs::create_directories(folder);
  const bool update = std::getenv("MASE_UPDATE_TRANSCRIPTS") != nullptr;
  std::string updated;
  for (const transcript::Step& step : transcript::read(file)) {
    const auto actual = transcript::masked(transcript::run(step.command, folder), folder);
    if (update) {
      updated += fmt::format("$ {}\n{}{}", step.command, fmt::join(actual, "\n"),
                             actual.empty() ? "" : "\n");
      continue;
    }
    std::string why;
    EXPECT_TRUE(transcript::matches(step.expected, actual, why))
        << "$ " << step.command << "\n"
        << why << "\n--- all of it:\n"
        << fmt::format("{}", fmt::join(actual, "\n"));
  }
  if (update) std::ofstream(file) << updated;
}

INSTANTIATE_TEST_SUITE_P(Files, Transcript, testing::ValuesIn(transcripts()),
                         [](const auto& info) { return info.param; });

TEST(TranscriptHarness, FindsDifferences) {
  std::string why;
  EXPECT_TRUE(transcript::matches({"a", "...", "c"}, {"a", "b", "b", "c"}, why));
  EXPECT_TRUE(transcript::matches({"..."}, {}, why));
  EXPECT_FALSE(transcript::matches({"a", "...", "d"}, {"a", "b", "c"}, why));
  EXPECT_FALSE(transcript::matches({"a"}, {"a", "b"}, why));
  EXPECT_FALSE(transcript::matches({"a", "b"}, {"a"}, why));
  EXPECT_FALSE(transcript::matches({"a"}, {"b"}, why));
}

TEST(TranscriptHarness, MasksTimesPathsAndFigures) {
  const transcript::Outcome outcome{
      .exit_code = 2,
      .output =
          "Epoch 0: 4/4 [00:01<00:00, 6.47it/s, val_acc_epoch=0.660]\n"
          "/x/y\n+-----+\n| Name     |\n+-----+\n| task     |\n+-----+\nafter\n"};
  const std::vector<std::string> expected = {"Epoch 0: 4/4 [<time>, <rate>, val_acc_epoch=<x>]",
                                             "<dir>/y", "<argument table>", "after", "[exit 2]"};
  EXPECT_EQ(transcript::masked(outcome, "/x"), expected);
}

}  // namespace
