// Lists and ranges, typed and in files, and the runs they make.
#include "ch/options/sweep_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "ch/options/argument_table.h"
#include "ch/setup.h"
#include "mase/io/text/toml.h"
#include "mase/train/sweep/key.h"
#include "mase/train/sweep/sweep.h"

namespace ch {
namespace {

using mase::Diagnostics;
using mase::ir::Value;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct ParsedRanges {
  std::vector<std::string> values;
  std::vector<std::string> problems;
};

ParsedRanges parse(std::string_view dest, std::string_view text) {
  ParsedRanges parsed;
  for (const Value& value : parse_list(*find_option(dest), text, parsed.problems)) {
    parsed.values.push_back(shown(value));
  }
  return parsed;
}

TEST(Lists, AreValuesBetweenCommas) {
  EXPECT_THAT(parse("batch_size", "64,128,256").values, ElementsAre("64", "128", "256"));
  EXPECT_THAT(parse("learning_rate", "1e-3,0.1").values, ElementsAre("0.001", "0.1"));
  EXPECT_THAT(parse("model", "jsc-tiny,jsc-toy").values, ElementsAre("jsc-tiny", "jsc-toy"));
  EXPECT_THAT(parse("training_optimizer", "sgd").values, ElementsAre("sgd"));
  EXPECT_THAT(parse("batch_size", "64").problems, IsEmpty());
}

TEST(Lists, MayHoldRangesWithBothEnds) {
  EXPECT_THAT(parse("seed", "0..3").values, ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(parse("seed", "9,1..2,5..5").values, ElementsAre("9", "1", "2", "5"));
  EXPECT_THAT(parse("max_steps", "-1..1").values, ElementsAre("-1", "0", "1"));
}

TEST(Lists, SayWhatIsWrongWithEachValue) {
  EXPECT_THAT(parse("batch_size", "64,zero,0").problems,
              ElementsAre("invalid int value: 'zero'",
                          "must be a whole number from 1 to 2147483647, not 0"));
  EXPECT_THAT(parse("training_optimizer", "adam,adamm").problems,
              ElementsAre(HasSubstr("did you mean 'adam' or 'adamw'?")));
  EXPECT_THAT(parse("seed", "7..0").problems, ElementsAre(HasSubstr("empty range: '7..0'")));
  EXPECT_THAT(parse("seed", "0..x").problems, ElementsAre(HasSubstr("invalid range: '0..x'")));
  EXPECT_THAT(parse("seed", "0..1000000000000").problems,
              ElementsAre(HasSubstr("more than 10000")));
  EXPECT_THAT(parse("seed", "-9223372036854775808..9223372036854775807").problems,
              ElementsAre(HasSubstr("more than 10000")));
  EXPECT_THAT(parse("seed", "1..3,2").problems, ElementsAre("'2' is in the list twice"));
  EXPECT_THAT(parse("seed", "1,,2").problems, ElementsAre("invalid int value: ''"));
  EXPECT_THAT(parse("learning_rate", "1..3").problems, ElementsAre("invalid float value: '1..3'"));
}

TEST(Lists, LeaveTheNameOfAFileWhole) {
  const std::string file = testing::TempDir() + "/a,b.toml";
  std::fclose(std::fopen(file.c_str(), "w"));
  EXPECT_THAT(parse("model", file).values, ElementsAre(file));
}

struct Planned {
  Settings settings;
  std::vector<std::string> runs;
  std::vector<std::string> varied;
  std::vector<std::string> problems;
};

Planned plan(const std::string& toml, std::vector<std::string> arguments = {}) {
  Planned out;
  Diagnostics diagnostics;
  arguments.insert(arguments.begin(), "sweep");
  out.settings.apply(read_command_line(arguments, diagnostics));
  const mase::io::TomlNode file = mase::io::parse_toml(toml, "s.toml").or_throw();
  out.settings.apply(file, diagnostics);
  out.settings.settle();
  const SweepPlan made = planned_sweep(file, out.settings, diagnostics);
  out.varied = made.varied;
  for (const Settings& run : made.runs) {
    mase::ir::Dict settings;
    for (const std::string& name : made.varied) settings.emplace_back(name, run.value(name));
    out.runs.push_back(mase::train::settings_text(settings));
  }
  for (const mase::Problem& problem : diagnostics.problems()) {
    out.problems.push_back(problem.text());
  }
  return out;
}

const std::string kBase = "model = \"toy_tiny\"\ndataset = \"toy_tiny\"\n";

// A value of an option other than its default, by its field.
Value another(const Option& option) {
  const mase::Field& field = option.field;
  if (!field.choices.empty()) {
    const std::string last(field.choices.back());
    return field.standard == mase::FieldValue(last) ? std::string(field.choices.front()) : last;
  }
  if (field.type == mase::FieldType::Bool) return true;
  if (field.type == mase::FieldType::Real) return 0.0625;
  return std::int64_t{3217};
}

// Two runs of a sweep with one key are one run: whatever may be varied must show in it.
TEST(SweepPlan, EveryOptionThatMayVaryIsInTheKeyOfARun) {
  // These reach the key as the network with its weights, as the data and as the engine's name.
  const std::vector<std::string_view> elsewhere = {"load_name", "model", "dataset", "val_fraction",
                                                   "engine"};
  const auto data = std::make_shared<mase::data::DataSet>();
  data->train.features = mase::ir::Tensor({2, 3}, mase::ir::DType::Float32);
  const auto key = [&](Settings settings) {
    settings.settle();
    const mase::train::SweepRun run{
        .settings = {}, .graph = {}, .data = data, .fit = fit_options(settings)};
    return run_key(run, mase::ir::Graph("net", "Net"), mase::engine::load_engine("native"));
  };
  Settings plain;
  plain.at("early_stopping").manual = "val_loss_epoch";  // two options speak of it only
  int varied = 0;
  for (const Option& option : options()) {
    if (!option.may_vary) continue;
    if (std::find(elsewhere.begin(), elsewhere.end(), option.dest()) != elsewhere.end()) continue;
    Settings other = plain;
    other.at(option.dest()).manual = another(option);
    EXPECT_NE(key(other), key(plain)) << option.dest() << " decides nothing of a run's key";
    ++varied;
  }
  EXPECT_GT(varied, 8);
  EXPECT_EQ(key(plain), key(plain));
}

TEST(SweepPlan, IsEveryCombinationTheSeedFastest) {
  const Planned typed =
      plan(kBase, {"--seed", "0..1", "--learning-rate", "1e-2,1e-3", "--batch-size", "64"});
  EXPECT_THAT(typed.problems, IsEmpty());
  EXPECT_THAT(typed.runs,
              ElementsAre("learning_rate=0.01, seed=0", "learning_rate=0.01, seed=1",
                          "learning_rate=0.001, seed=0", "learning_rate=0.001, seed=1"));
  const Planned file = plan(kBase + "[sweep]\nseed = \"0..1\"\nlearning_rate = [1e-2, 1e-3]\n");
  EXPECT_THAT(file.problems, IsEmpty());
  EXPECT_EQ(file.runs, typed.runs);
}

TEST(SweepPlan, AListRunsWithEveryCombinationOfTheGrid) {
  const Planned planned = plan(
      "dataset = \"jsc\"\nbatch_size = 32\n[sweep]\nseed = [3, 4]\n"
      "[[sweep.run]]\nmodel = \"jsc-tiny\"\nbatch_size = [64, 128]\n"
      "[[sweep.run]]\nmodel = \"jsc-toy\"\n");
  EXPECT_THAT(planned.problems, IsEmpty());
  EXPECT_THAT(planned.varied, ElementsAre("model", "batch_size", "seed"));
  EXPECT_THAT(
      planned.runs,
      ElementsAre("model=jsc-tiny, batch_size=64, seed=3", "model=jsc-tiny, batch_size=64, seed=4",
                  "model=jsc-tiny, batch_size=128, seed=3",
                  "model=jsc-tiny, batch_size=128, seed=4", "model=jsc-toy, batch_size=32, seed=3",
                  "model=jsc-toy, batch_size=32, seed=4"));
}

TEST(SweepPlan, WhatWasTypedWins) {
  const std::string toml = kBase + "[sweep]\nseed = \"0..4\"\n[[sweep.run]]\nbatch_size = 64\n";
  EXPECT_THAT(plan(toml, {"--seed", "7"}).runs, ElementsAre("batch_size=64"));
  EXPECT_THAT(plan(toml, {"--seed", "7,8", "--batch-size", "32"}).runs,
              ElementsAre("seed=7", "seed=8"));
}

TEST(SweepPlan, WithoutListsIsOneRun) {
  EXPECT_THAT(plan(kBase).runs, ElementsAre("model=toy_tiny"));
}

TEST(SweepPlan, ReportsAllProblemsWithTheirPlaces) {
  const Planned planned = plan(
      "dataset = \"toy_tiny\"\n"
      "max_epoch = 3\n"
      "[sweep]\n"
      "batch_size = [64, \"x\", 0]\n"
      "sed = \"0..7\"\n"
      "log_level = [\"info\"]\n"
      "learning_rate = []\n"
      "max_epochs = \"5..\"\n"
      "weight_decay = [0.1, 0.1]\n"
      "[[sweep.run]]\n"
      "model = [\"toy_tiny\", \"toy_tinny\"]\n"
      "batch_size = 3\n");
  EXPECT_THAT(
      planned.problems,
      ElementsAre("s.toml:2:1: unknown key 'max_epoch'; did you mean 'max_epochs'?",
                  "s.toml:4:19: 'batch_size': must be a whole number from 1 to 2147483647, not 'x'",
                  "s.toml:4:24: 'batch_size': must be a whole number from 1 to 2147483647, not 0",
                  "s.toml:5:1: unknown key 'sed' in a sweep; did you mean 'seed'?",
                  "s.toml:6:1: 'log_level' cannot vary: no outcome depends on it; set it at the "
                  "top of the file",
                  "s.toml:7:1: 'learning_rate': an empty list",
                  "s.toml:8:1: 'max_epochs': invalid range: '5..' (write FIRST..LAST, as 0..7)",
                  "s.toml:9:22: 'weight_decay': 0.1 is in the list twice",
                  "s.toml:12:1: 'batch_size' stands in [sweep], too; leave one of them out: the "
                  "other is at s.toml:4:1",
                  "s.toml:11:1: Model toy_tinny not found; did you mean 'toy_tiny'?"));
}

TEST(SweepPlan, RefusesWhatIsNoTable) {
  EXPECT_THAT(plan(kBase + "sweep = 3\n").problems,
              ElementsAre("s.toml:3:1: 'sweep' must be a table of lists; write [sweep]"));
  EXPECT_THAT(plan(kBase + "[sweep]\nrun = 3\n").problems,
              ElementsAre(HasSubstr("'run' must be a list of tables; write [[sweep.run]]")));
  EXPECT_THAT(plan(kBase + "[sweep]\nrun = []\n").problems,
              ElementsAre(HasSubstr("'run' must be a list of tables")));
  EXPECT_THAT(plan("", {}).problems, ElementsAre(HasSubstr("No model and/or dataset provided")));
}

TEST(SweepPlan, RefusesMoreRunsThanAnyoneMeans) {
  EXPECT_THAT(plan(kBase, {"--seed", "0..999", "--batch-size", "1..999"}).problems,
              ElementsAre(HasSubstr("more than 10000 runs")));
}

TEST(SweepPlan, OtherActionsPassOverTheTable) {
  Settings settings;
  Diagnostics diagnostics;
  settings.apply(
      mase::io::parse_toml("seed = 1\n[sweep]\nbatch_size = [1, 2]\n", "s.toml").or_throw(),
      diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(settings.integer("batch_size"), 128);
}

TEST(SweepPlan, ListsStandInTheArgumentTable) {
  const Planned planned =
      plan(kBase + "[sweep]\nlearning_rate = [0.1, 0.2]\nseed = [1, 2]\n", {"--seed", "5,6"});
  const std::string table = argument_table(planned.settings, false, kSweep);
  EXPECT_THAT(table,
              testing::ContainsRegex(R"(learning_rate +\| +1e-05 +\| +0.1,0.2 +\| +\| +0.1,0.2)"));
  EXPECT_THAT(table, testing::ContainsRegex(R"(seed +\| +0 +\| +1 +\| +5,6 +\| +5,6)"));
}

TEST(SweepPlan, OnlyASweepTakesLists) {
  Diagnostics diagnostics;
  read_command_line(std::vector<std::string>{"train", "--batch-size", "64,128"}, diagnostics);
  ASSERT_EQ(diagnostics.problems().size(), 1u);
  EXPECT_THAT(diagnostics.problems()[0].message, HasSubstr("invalid int value: '64,128'"));
}

TEST(SweepPlan, TheActionMayStandBehindItsOptions) {
  Diagnostics diagnostics;
  const CommandLine line =
      read_command_line(std::vector<std::string>{"--batch-size", "64,128", "sweep"}, diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_THAT(line.given.at(0).values, ElementsAre(Value(64), Value(128)));
}

}  // namespace
}  // namespace ch
