// What the trainer prints, to the letter.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "../shared_data.h"
#include "mase/support/error.h"
#include "mase/train/optimiser.h"
#include "mase/train/text.h"
#include "mase/train/train.h"

namespace mase::train {
namespace {

ir::Graph graph_with(std::int64_t parameters, std::string class_name) {
  ir::Graph graph("net", std::move(class_name));
  graph.add_parameter({.name = "p", .value = ir::Tensor({parameters}, ir::DType::Float32)});
  graph.add_parameter(
      {.name = "b", .value = ir::Tensor({50}, ir::DType::Float32), .is_buffer = true});
  return graph;
}

TEST(Summary, CountsAreShortened) {
  EXPECT_EQ(readable_count(0), "0  ");
  EXPECT_EQ(readable_count(327), "327  ");
  EXPECT_EQ(readable_count(999), "999  ");
  EXPECT_EQ(readable_count(1000), "1.0 K");
  EXPECT_EQ(readable_count(3363), "3.4 K");
  EXPECT_EQ(readable_count(11015), "11.0 K");
  EXPECT_EQ(readable_count(99'999), "100.0 K");
  EXPECT_EQ(readable_count(402'700), "402 K");
  EXPECT_EQ(readable_count(999'999), "999 K");
  EXPECT_EQ(readable_count(1'500'000), "1.5 M");
  EXPECT_EQ(readable_count(1'234'000'000'000'000), "1,234 T");
}

TEST(Summary, IsLaidOutAsUsersKnowIt) {
  EXPECT_EQ(print_model_summary(graph_with(327, "JSC_Toy")),
            "  | Name      | Type               | Params\n"
            "-------------------------------------------------\n"
            "0 | model     | JSC_Toy            | 327   \n"
            "1 | loss_fn   | CrossEntropyLoss   | 0     \n"
            "2 | acc_train | MulticlassAccuracy | 0     \n"
            "3 | acc_val   | MulticlassAccuracy | 0     \n"
            "4 | acc_test  | MulticlassAccuracy | 0     \n"
            "5 | loss_val  | MeanMetric         | 0     \n"
            "6 | loss_test | MeanMetric         | 0     \n"
            "-------------------------------------------------\n"
            "327       Trainable params\n"
            "0         Non-trainable params\n"
            "327       Total params\n"
            "0.001     Total estimated model params size (MB)\n");
}

TEST(Summary, WidensForLongNames) {
  const std::string text = print_model_summary(graph_with(11015, "A_Network_With_A_Long_Name"));
  EXPECT_NE(text.find("0 | model     | A_Network_With_A_Long_Name | 11.0 K\n"), std::string::npos);
  EXPECT_NE(text.find("11.0 K    Trainable params\n"), std::string::npos);
  EXPECT_NE(text.find("0.044     Total estimated"), std::string::npos);
}

// The summary of the original's own run stands in its transcript.
TEST(Summary, EqualsTheTranscript) {
  MASE_NEEDS_SHARED_DATA("mase_runs/transcripts/train_toy.txt");
  std::ifstream in(shared_data() / "mase_runs/transcripts/train_toy.txt");
  const std::string transcript((std::istreambuf_iterator<char>(in)), {});
  EXPECT_NE(transcript.find(print_model_summary(graph_with(327, "JSC_Toy"))), std::string::npos);
}

TEST(TestTable, EqualsTheTranscript) {
  MASE_NEEDS_SHARED_DATA("mase_runs/transcripts/test_toy.txt");
  std::ifstream in(shared_data() / "mase_runs/transcripts/test_toy.txt");
  const std::string transcript((std::istreambuf_iterator<char>(in)), {});
  const std::size_t rule = transcript.find("─");
  const std::size_t end = transcript.find('\n', rule);
  const int width = static_cast<int>((end - rule) / std::string("─").size());
  const TestResult result{.accuracy = 3688.0 / 4850.0, .loss = 0.7138963937759399, .rows = 4850};
  EXPECT_NE(transcript.find(print_test_table(result, width)), std::string::npos)
      << print_test_table(result, width);
}

TEST(TestTable, IsCentredBetweenRules) {
  const TestResult result{.accuracy = 0.5, .loss = 1.25, .rows = 2};
  EXPECT_EQ(print_test_table(result, 3),
            "───\n"
            "       Test metric             DataLoader 0\n"
            "───\n"
            "     test_acc_epoch                 0.5\n"
            "     test_loss_epoch               1.25\n"
            "───\n");
}

TEST(ProgressLine, NumbersHaveThreeDigitsAndFiveCharacters) {
  EXPECT_EQ(progress_number(0.73), "0.730");
  EXPECT_EQ(progress_number(1.2), "1.200");
  EXPECT_EQ(progress_number(0.7304), "0.730");
  EXPECT_EQ(progress_number(1.0), "1.000");
  EXPECT_EQ(progress_number(0.0), "0.000");
  EXPECT_EQ(progress_number(12.345), "12.30");
  EXPECT_EQ(progress_number(123.456), "123.0");
  EXPECT_EQ(progress_number(1234567.0), "1.23e+6");
  EXPECT_EQ(progress_number(0.000012345), "1.23e-5");
  EXPECT_EQ(progress_number(static_cast<double>(0.6596491f)), "0.660");
}

TEST(Schedule, IsTheOriginals) {
  for (const auto& [key, rate] :
       {std::pair{"lr0_1e-3", 1e-3}, {"lr0_1e-5", 1e-5}, {"lr0_1e-7", 1e-7}}) {
    std::ifstream in(std::string(MASE_SOURCE_DIR) + "/tests/train/cosine_schedule.json");
    const auto golden = nlohmann::json::parse(in);
    const std::vector<double> rates = golden.at(key);
    ASSERT_EQ(rates.size(), 10u);
    for (std::size_t epoch = 0; epoch < rates.size(); ++epoch) {
      EXPECT_NEAR(cosine_rate(rate, golden.at("minimum"), static_cast<std::int64_t>(epoch), 10),
                  rates[epoch], 1e-9 * rates[epoch]);
    }
  }
}

TEST(Schedule, OneEpochRunsAtTheInitialRate) {
  EXPECT_EQ(cosine_rate(0.5, 1e-6, 0, 1), 0.5);
}

TEST(Optimisers, HaveTheirOwnDefaults) {
  EXPECT_EQ(optimiser_options("adam", 0.1, 0.2).weight_decay, 0.2);
  const engine::OptimiserOptions sgd = optimiser_options("sgd", 0.1, 0.2);
  EXPECT_EQ(sgd.weight_decay, 5e-4);
  EXPECT_EQ(sgd.momentum, 0.9);
  EXPECT_TRUE(sgd.nesterov);
  EXPECT_EQ(minimum_learning_rate(sgd.kind), 0.0);
  EXPECT_EQ(minimum_learning_rate(engine::OptimiserKind::AdamW), 1e-6);
  EXPECT_EQ(learning_rate_tag(sgd.kind), "lr-SGD");
  EXPECT_EQ(learning_rate_tag(engine::OptimiserKind::AdamW), "lr-AdamW");
  for (const std::string_view name : optimiser_names()) {
    EXPECT_EQ(train::name(optimiser_options(name, 1, 0).kind), name);
  }
}

TEST(Optimisers, UnknownNamesAreRefused) {
  try {
    optimiser_options("adamv", 0.1, 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_EQ(error.message(), "Unsupported optimizer name adamv");
    EXPECT_NE(error.hint().find("adam"), std::string::npos);
  }
}

}  // namespace
}  // namespace mase::train
