// What is written about a sweep: spreads, the best, table, CSV, JSON, the page and its charts.
#include "mase/train/sweep/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "mase/train/run_folder.h"
#include "mase/train/sweep/chart.h"
#include "mase/train/sweep/curves.h"
#include "temporary_folder.h"

namespace mase::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

RunOutcome run(double rate, int seed, double accuracy) {
  RunOutcome out;
  out.settings = {{"learning_rate", rate}, {"seed", seed}};
  out.status = RunStatus::Finished;
  out.key = "key";
  out.engine = "native";
  out.parameters = 117;
  out.seconds = 2;
  out.measured.best_val_acc = accuracy + 0.01;
  out.measured.best_val_loss = 1 - accuracy;
  out.measured.test_acc = accuracy;
  return out;
}

RunOutcome failed(double rate, int seed, const std::string& reason) {
  RunOutcome out;
  out.settings = {{"learning_rate", rate}, {"seed", seed}};
  out.status = RunStatus::Failed;
  out.reason = reason;
  return out;
}

// Two rates with two seeds each, and one whose runs fail.
SweepResult some() {
  SweepResult result;
  result.runs = {run(0.01, 0, 0.70),
                 run(0.01, 1, 0.74),
                 run(0.001, 0, 0.71),
                 run(0.001, 1, 0.69),
                 failed(10, 0, "the loss, \"nan\" <now>"),
                 failed(10, 1, "the same")};
  return result;
}

TEST(Spread, IsThatOfASample) {
  const Spread spread = spread_of({1, 2, kNotMeasured, 4, 5});
  EXPECT_EQ(spread.count, 4);
  EXPECT_DOUBLE_EQ(spread.mean, 3);
  EXPECT_DOUBLE_EQ(spread.deviation, std::sqrt(10.0 / 3));
  EXPECT_EQ(spread.least, 1);
  EXPECT_EQ(spread.greatest, 5);
  EXPECT_TRUE(std::isnan(spread_of({3}).deviation));
  EXPECT_EQ(spread_of({3}).mean, 3);
  EXPECT_EQ(spread_of({}).count, 0);
  EXPECT_TRUE(std::isnan(spread_of({kNotMeasured}).mean));
}

TEST(Configurations, GatherTheSeedsAndMarkTheBest) {
  const SweepResult result = some();
  const std::vector<Configuration> all = configurations(result);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(settings_text(all[0].settings), "learning_rate=0.01");
  EXPECT_TRUE(all[0].best);
  EXPECT_FALSE(all[1].best || all[2].best);
  EXPECT_EQ(all[0].finished, 2);
  EXPECT_DOUBLE_EQ(all[0].spread("test_acc").mean, 0.72);
  EXPECT_EQ(all[2].failed, 2);
  EXPECT_EQ(all[2].spread("test_acc").count, 0);
  EXPECT_EQ(all[0].spread("train_loss_step").count, 0) << "never measured";
}

TEST(Configurations, AreRankedByWhatIsAskedFor) {
  SweepResult result = some();
  result.runs[2].measured.best_val_loss = result.runs[3].measured.best_val_loss = 0.1;
  EXPECT_TRUE(configurations(result, "best_val_acc")[0].best);
  EXPECT_TRUE(configurations(result, "best_val_loss")[1].best) << "less is better";
}

TEST(SweepTable, IsOneRowPerConfiguration) {
  const std::string text = print_sweep_table(some());
  EXPECT_THAT(text, HasSubstr("learning_rate"));
  EXPECT_THAT(text, ::testing::ContainsRegex(R"(\| +\* \| +0\.01 \| +117 \| +2 \| +0 \|)"));
  EXPECT_THAT(text, HasSubstr("0.7200 ± 0.0283"));
  EXPECT_THAT(text, HasSubstr("0.7000..0.7400"));
  EXPECT_THAT(text, HasSubstr("failed: learning_rate=10.0, seed=0: the loss, \"nan\" <now>\n"));
}

TEST(SweepCsv, IsOneRowPerRun) {
  std::istringstream lines(sweep_csv(some()));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line,
            "learning_rate,seed,status,reason,engine,parameters,epochs,steps,seconds,"
            "train_loss_step,train_loss_epoch,train_acc_epoch,val_loss_epoch,val_acc_epoch,"
            "best_epoch,best_val_loss,best_val_acc,test_loss,test_acc,key,folder");
  std::getline(lines, line);
  EXPECT_THAT(line, ::testing::StartsWith("0.01,0,finished,,native,117,0,0,2.000,,,"));
  for (int i = 0; i < 4; ++i) std::getline(lines, line);
  EXPECT_THAT(line, HasSubstr("10.0,0,failed,\"the loss, \"\"nan\"\" <now>\","));
}

TEST(SweepJson, HoldsRunsAndConfigurations) {
  const auto json = nlohmann::json::parse(sweep_json(some()));
  EXPECT_EQ(json.at("runs").size(), 6u);
  EXPECT_EQ(json.at("runs")[4].at("status"), "failed");
  EXPECT_TRUE(json.at("runs")[4].at("test_acc").is_null());
  EXPECT_EQ(json.at("configurations").size(), 3u);
  EXPECT_EQ(json.at("configurations")[0].at("best"), true);
  EXPECT_DOUBLE_EQ(json.at("configurations")[0].at("test_acc").at("mean"), 0.72);
  EXPECT_EQ(json.at("ranked_by"), "best_val_acc");
}

// Metrics of a run as the trainer writes them.
void write_metrics(const std::filesystem::path& project, double loss) {
  const auto folder = version_folder(project, create_version(project));
  std::ofstream out(folder / "metrics.csv");
  out << "step,epoch,lr-Adam,train_loss_step,train_acc_step,train_loss_epoch,train_acc_epoch,"
         "val_loss_epoch,val_acc_epoch\n"
         "49,0,0.01,1.5,0.3,,,,\n";
  for (int epoch = 0; epoch < 3; ++epoch) {
    out << 10 * epoch << "," << epoch << ",,,," << loss - 0.1 * epoch << ",0.5," << loss
        << ",0.6\n";
  }
  out << "59,3,0.01,1.1,0.4,,,";  // cut off
}

TEST(Curves, AreTheRowsThatEndAnEpoch) {
  const std::filesystem::path folder = new_folder();
  write_metrics(folder, 1.25);
  const std::vector<EpochRow> rows = read_curves(folder);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2].epoch, 2);
  EXPECT_EQ(rows[2].val_loss, 1.25);
  EXPECT_NEAR(rows[2].train_loss, 1.05, 1e-12);
  EXPECT_TRUE(read_curves(folder / "none").empty());
}

TEST(SweepPage, NeedsNothingElseAndHoldsEverything) {
  const std::filesystem::path folder = new_folder();
  SweepResult result = some();
  for (std::size_t i = 0; i < 4; ++i) {
    result.runs[i].folder = folder / std::to_string(i);
    write_metrics(result.runs[i].folder, 1.0 + 0.1 * static_cast<double>(i));
  }
  const std::string page = sweep_html(result, "a <sweep>");
  EXPECT_THAT(page, ::testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, HasSubstr("<title>a &lt;sweep&gt;</title>"));
  for (const std::string part :
       {"validation loss", "validation accuracy", "test accuracy by learning_rate", "(logarithmic)",
        "0.7200 ± 0.0283", "the loss, &quot;nan&quot; &lt;now&gt;", "prefers-color-scheme: dark",
        "<tr class=\"best\">"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, Not(::testing::ContainsRegex("(src|href)=")));
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_THAT(page, Not(HasSubstr("nan,")));
  // Two configurations with curves: a thick line each, and a thin one per run.
  const auto count = [&](const std::string& what) {
    const std::regex pattern(what);
    return std::distance(std::sregex_iterator(page.begin(), page.end(), pattern), {});
  };
  EXPECT_EQ(count("<svg "), 3);
  EXPECT_EQ(count("<g class=\"c. bold\" data-group=\"[01]\">"), 4);
  EXPECT_EQ(count("<g class=\"c.\" data-group=\"[01]\">"), 8);
}

TEST(SweepPage, CanBeMadeOfNothing) {
  EXPECT_THAT(sweep_html({}, "none"), HasSubstr("No runs."));
  EXPECT_EQ(print_sweep_table({}), "");
  EXPECT_EQ(sweep_csv({}), "");
}

TEST(Chart, TicksAreRoundNumbers) {
  EXPECT_THAT(axis_ticks(0.12, 0.53, 5, false),
              ElementsAre(::testing::DoubleNear(0.2, 1e-12), ::testing::DoubleNear(0.3, 1e-12),
                          ::testing::DoubleNear(0.4, 1e-12), ::testing::DoubleNear(0.5, 1e-12)));
  const auto decades = axis_ticks(1e-7, 0.1, 8, true);
  ASSERT_EQ(decades.size(), 7u);
  EXPECT_NEAR(decades.front() / 1e-7, 1, 1e-9);
  EXPECT_EQ(axis_ticks(60, 1100, 8, true).size(), 4u);  // 100, 200, 500, 1000
  EXPECT_TRUE(axis_ticks(1, 1, 5, false).empty());
  EXPECT_TRUE(axis_ticks(0, INFINITY, 5, false).empty());
}

TEST(Chart, IsLogarithmicWhereDecadesAreApart) {
  EXPECT_TRUE(wants_log({1e-5, 1e-3}));
  EXPECT_FALSE(wants_log({64, 128}));
  EXPECT_FALSE(wants_log({0, 1000}));
  EXPECT_FALSE(wants_log({}));
}

TEST(Chart, ShowsWhatIsFiniteAlone) {
  Chart chart{.title = "t", .lines = {{.points = {{1, 2}, {2, NAN}, {3, 4}, {4, 5}}}}};
  const std::string text = svg(chart);
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(text, ::testing::ContainsRegex("d=\"M[0-9. ]+M[0-9. ]+L[0-9. ]+\""));
  chart.lines = {{.points = {{NAN, 1}}}};
  EXPECT_EQ(svg(chart), "");
}

}  // namespace
}  // namespace mase::train
