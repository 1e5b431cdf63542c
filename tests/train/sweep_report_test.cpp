// What is written about a sweep: spreads, the best, table, CSV, JSON, the page and its charts.
#include "mase/train/sweep/report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "mase/support/terminal.h"
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
  EXPECT_THAT(text, HasSubstr("val loss (best)"));
  EXPECT_THAT(text, HasSubstr("best: after the epoch of the lowest validation loss"));
  EXPECT_THAT(text, Not(HasSubstr("train loss"))) << "not measured by any run";
  EXPECT_THAT(text, HasSubstr("0.7000..0.7400"));
  EXPECT_THAT(text, HasSubstr("failed: learning_rate=10.0, seed=0: the loss, \"nan\" <now>\n"));
}

// What reports on such experiments give for each training, whether it was varied or not.
TEST(SweepTable, NamesEpochsBatchSizeAndRate) {
  SweepResult result = some();
  for (RunOutcome& run : result.runs) {
    run.options = {{"batch_size", 64}, {"learning_rate", 7.0}, {"max_epochs", 10}};
    run.measured.train_loss_epoch = 0.5;
  }
  const std::string text = print_sweep_table(result);
  EXPECT_THAT(text, HasSubstr("|   max_epochs |   batch_size |   learning_rate |   params |"));
  EXPECT_THAT(text, ::testing::ContainsRegex(R"(\| +\* \| +10 \| +64 \| +0\.01 \| +117 \|)"));
  EXPECT_THAT(text, HasSubstr("train loss (last)"));
}

std::size_t widest(const std::string& text) {
  std::istringstream lines(text);
  std::size_t most = 0;
  for (std::string line; std::getline(lines, line);) most = std::max(most, visible_width(line));
  return most;
}

TEST(SweepTable, FitsTheTerminalAndNamesWhatIsLeftOut) {
  SweepResult result = some();
  for (RunOutcome& run : result.runs) run.options = {{"batch_size", 64}, {"max_epochs", 10}};
  EXPECT_GT(widest(print_sweep_table(result)), 120u);
  for (const int width : {200, 100, 80, 60}) {
    const std::string text = print_sweep_table(result, {.width = width});
    EXPECT_LE(widest(text), static_cast<std::size_t>(width)) << text;
    std::string all = text;  // where its notes are wrapped does not matter
    std::replace(all.begin(), all.end(), '\n', ' ');
    EXPECT_EQ(all.find("left out to fit") == std::string::npos, width == 200) << text;
    if (width == 80) {
      EXPECT_THAT(all, HasSubstr("left out to fit 80 columns: test acc min..max, s/run"));
    }
    EXPECT_THAT(text, HasSubstr("learning_rate")) << "what tells them apart stays";
    EXPECT_THAT(text, HasSubstr("0.7300 ± 0.0283")) << "and what they are ranked by";
  }
}

TEST(SweepTable, AsMarkdownIsWhole) {
  const std::string text = print_sweep_table(some(), {.width = 40, .markdown = true});
  EXPECT_THAT(text, HasSubstr("---:|"));
  EXPECT_THAT(text, HasSubstr("test acc min..max"));
  EXPECT_THAT(text, HasSubstr("\n\n`*` = best mean best_val_acc; "));
  EXPECT_THAT(text, HasSubstr("\n\n- failed: learning_rate=10.0, seed=0: "));
}

TEST(SweepTable, OfOneConfigurationHasNoBest) {
  SweepResult result;
  result.runs = {run(0.01, 0, 0.7)};
  result.runs[0].measured.best_epoch = 7;
  const std::string text = print_sweep_table(result);
  EXPECT_THAT(text, Not(HasSubstr("*")));
  EXPECT_THAT(text, Not(HasSubstr("runs |")));
  EXPECT_THAT(text, ::testing::ContainsRegex(R"(\|   best epoch \|)"));
  EXPECT_THAT(text, ::testing::ContainsRegex(R"( 7 \|)"));
}

TEST(Sweep, SaysWhatAllRunsShare) {
  SweepResult result = some();
  for (std::size_t i = 0; i < result.runs.size(); ++i) {
    result.runs[i].options = {
        {"model", "jsc-tiny"}, {"seed", static_cast<std::int64_t>(i)}, {"load_name", ir::None{}}};
  }
  EXPECT_EQ(settings_text(fixed_options(result)), "model=jsc-tiny");
  EXPECT_TRUE(fixed_options({}).empty());
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
  for (RunOutcome& run : result.runs) {
    run.options = {{"model", "jsc-<tiny>"}};
    run.data = "jsc: 7 rows";
  }
  const std::string page = sweep_html(result, "a <sweep>", "best_val_acc", "2026-01-31 14:05");
  EXPECT_THAT(page, ::testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, HasSubstr("<title>a &lt;sweep&gt;</title>"));
  for (const std::string part :
       {"training loss", "validation loss", "training accuracy", "validation accuracy",
        "test accuracy by learning_rate", "2026-01-31 14:05", "<p>Data set jsc: 7 rows</p>",
        "<dt>model</dt><dd>jsc-&lt;tiny&gt;</dd>", "0.7200 ± 0.0283",
        "the loss, &quot;nan&quot; &lt;now&gt;", "prefers-color-scheme: dark",
        "<tr class=\"best\">"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, Not(::testing::ContainsRegex("(src|href)=")));
  EXPECT_THAT(std::regex_replace(page, std::regex("http://www.w3.org/2000/svg"), ""),
              Not(HasSubstr("http")));
  EXPECT_THAT(page, Not(HasSubstr("nan,")));
  const std::string from = "<script type=\"application/json\" id=\"charts\">";
  const std::size_t begin = page.find(from) + from.size();
  const auto charts =
      nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  ASSERT_EQ(charts.size(), 5u);
  for (std::size_t i = 0; i < charts.size(); ++i) {
    EXPECT_THAT(page, HasSubstr(fmt::format("<figure data-chart=\"{}\">", i)));
  }
  // Two configurations with curves: a thick line each, and a thin one per run.
  const auto& loss = charts[0].at("lines");
  ASSERT_EQ(loss.size(), 6u);
  EXPECT_EQ(loss[2].at("bold"), true);
  EXPECT_EQ(loss[2].at("configuration"), 0);
  EXPECT_EQ(loss[5].at("configuration"), 1);
  EXPECT_EQ(loss[0].at("points").dump(), "[[1.0,1.0],[2.0,0.9],[3.0,0.8]]");
  EXPECT_EQ(charts[0].at("scale"), charts[1].at("scale")) << "training and validation loss";
  // The third configuration failed: no point of it is a number.
  const auto& by_rate = charts[4];
  EXPECT_EQ(by_rate.at("logX"), true);
  EXPECT_EQ(by_rate.at("lines")[1].at("points")[0].at(3), 1) << "coloured as in the curves";
}

TEST(SweepPage, CanBeMadeOfNothing) {
  EXPECT_THAT(sweep_html({}, "none"), HasSubstr("No runs."));
  EXPECT_EQ(print_sweep_table({}), "");
  EXPECT_EQ(sweep_csv({}), "");
}

TEST(Chart, IsLogarithmicWhereDecadesAreApart) {
  EXPECT_TRUE(wants_log({1e-5, 1e-3}));
  EXPECT_TRUE(wants_log({64, 128, 256}));
  EXPECT_TRUE(wants_log({50, 1, 5, 10, 10}));
  EXPECT_FALSE(wants_log({64, 128}));
  EXPECT_FALSE(wants_log({1, 2, 3, 4, 5}));
  EXPECT_FALSE(wants_log({4, 6, 8, 16}));
  EXPECT_FALSE(wants_log({0, 1000}));
  EXPECT_FALSE(wants_log({}));
}

TEST(Chart, WhatIsNotFiniteIsNoPoint) {
  Chart chart{.title = "</script>", .lines = {{.points = {{1, 2}, {2, NAN}, {3, 4, 0.5, 7}}}}};
  EXPECT_TRUE(shows_something(chart));
  const std::string text = charts_json({chart});
  EXPECT_THAT(text, HasSubstr("[[1.0,2.0],[2.0,null],[3.0,4.0,0.5,7]]"));
  EXPECT_THAT(text, Not(HasSubstr("<")));
  EXPECT_EQ(nlohmann::json::parse(text)[0].at("title"), "</script>");
  chart.lines = {{.points = {{NAN, 1}}}};
  EXPECT_FALSE(shows_something(chart));
  chart = {.lines = {{.points = {{0, 1}}}}, .log_x = true};
  EXPECT_FALSE(shows_something(chart)) << "zero is on no logarithmic axis";
}

}  // namespace
}  // namespace mase::train
