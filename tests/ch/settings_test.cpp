// Merging of defaults, file and command line, and what a wrong file is told.
#include "ch/options/settings.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ch/options/columns.h"
#include "ch/options/config_file.h"
#include "mase/io/text/toml.h"

namespace ch {
namespace {

using mase::Diagnostics;
using mase::ir::None;
using mase::ir::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Merged {
  Settings settings;
  std::vector<std::string> problems;
};

Merged merge(const std::string& toml, std::vector<std::string> arguments = {}) {
  Merged merged;
  Diagnostics diagnostics;
  merged.settings.apply(read_command_line(arguments, diagnostics));
  merged.settings.apply(mase::io::parse_toml(toml, "c.toml").or_throw(), diagnostics);
  merged.settings.settle();
  for (const mase::Problem& problem : diagnostics.problems()) {
    merged.problems.push_back(problem.text());
  }
  for (const mase::Problem& problem : merged.settings.missing().problems()) {
    merged.problems.push_back(problem.text());
  }
  return merged;
}

TEST(Settings, FileBeatsDefaultAndCommandLineBeatsFile) {
  const Merged merged = merge("batch_size = 64\nseed = 42\n", {"--batch-size", "32"});
  EXPECT_THAT(merged.problems, IsEmpty());
  EXPECT_EQ(merged.settings.integer("batch_size"), 32);
  EXPECT_EQ(merged.settings.integer("seed"), 42);
  EXPECT_EQ(merged.settings.integer("max_epochs"), 20);
}

TEST(Settings, ADefaultValueThatWasTypedBeatsTheFile) {
  EXPECT_EQ(merge("batch_size = 64\n", {"--batch-size", "128"}).settings.integer("batch_size"),
            128);
}

TEST(Settings, NaMeansNone) {
  const Merged merged = merge("project = \"NA\"\nload_name = \"NA\"\nmax_steps = \"NA\"\n");
  EXPECT_THAT(merged.problems, IsEmpty());
  EXPECT_FALSE(merged.settings.has("project"));
  EXPECT_FALSE(merged.settings.has("load_name"));
  EXPECT_FALSE(merged.settings.has("max_steps"));
  EXPECT_THAT(merge("learning_rate = \"NA\"\n").problems,
              ElementsAre("c.toml:1:1: 'learning_rate' must be a number at least 0, not \"NA\""));
}

TEST(Settings, TakesNumbersForTextsAndWholeNumbersForReals) {
  const Merged merged = merge("trainer_precision = 32\nlearning_rate = 1\n");
  EXPECT_THAT(merged.problems, IsEmpty());
  EXPECT_EQ(merged.settings.text("trainer_precision"), "32");
  EXPECT_EQ(merged.settings.number("learning_rate"), 1.0);
  // The argument table shows a number as it stands in the file.
  EXPECT_EQ(merged.settings.value("learning_rate"), Value(1));
}

TEST(Settings, TakesZeroAndOneForTruthAndOneTextForAList) {
  const Merged merged = merge("to_debug = 1\nstrict = 0\nplugins = \"a.so\"\n");
  EXPECT_THAT(merged.problems, IsEmpty());
  EXPECT_TRUE(merged.settings.flag("to_debug"));
  EXPECT_FALSE(merged.settings.flag("strict"));
  EXPECT_EQ(merged.settings.value("plugins"), Value(mase::ir::List{"a.so"}));
  EXPECT_THAT(merge("to_debug = 2\n").problems,
              ElementsAre("c.toml:1:1: 'to_debug' must be true or false, not 2"));
}

TEST(Settings, TakesListsOfTexts) {
  const Merged merged = merge("plugins = [\"a.so\", \"b.so\"]\n");
  EXPECT_THAT(merged.problems, IsEmpty());
  EXPECT_EQ(merged.settings.value("plugins"), Value(mase::ir::List{"a.so", "b.so"}));
  EXPECT_THAT(merge("plugins = [1]\n").problems,
              ElementsAre("c.toml:1:1: 'plugins' must be a list of paths, or \"NA\", not [1]"));
  EXPECT_THAT(merge("model = [\"a\"]\n").problems,
              ElementsAre("c.toml:1:1: 'model' must be a text, or \"NA\", not ['a']"));
}

TEST(Settings, ListsAllProblemsWithTheirPlaces) {
  const Merged merged = merge(
      "model = \"jsc-tiny\"\n"
      "batchsize = 64\n"
      "learning_rate = \"fast\"\n"
      "  task = \"clas\"\n"
      "max_epochs = 1.5\n"
      "seed = -1\n"
      "report_to = \"wandb\"\n"
      "json = true\n"
      "[optimizer]\n"
      "name = \"adam\"\n");
  EXPECT_THAT(
      merged.problems,
      ElementsAre("c.toml:2:1: unknown key 'batchsize'; did you mean 'batch_size'?",
                  "c.toml:3:1: 'learning_rate' must be a number at least 0, not 'fast'",
                  "c.toml:4:3: 'task': invalid choice: 'clas' (choose from 'classification', "
                  "'cls'); did you mean 'cls' or 'classification'?",
                  "c.toml:5:1: 'max_epochs' must be a whole number from 1 to 2147483647, not 1.5",
                  "c.toml:6:1: 'seed': must be a whole number at least 0, not -1",
                  "c.toml:7:1: 'report_to': 'wandb' is not available: this program sends nothing "
                  "over the network; the files of tensorboard can be synchronised with `wandb "
                  "sync` (choose from 'tensorboard')",
                  "c.toml:8:1: unknown key 'json'", "c.toml:9:2: unknown key 'optimizer'"));
}

TEST(Settings, WarnsOfKeysWithoutEffectHere) {
  const Merged merged =
      merge("target = \"xcu250\"\nnum_targets = 1\n[search.strategy]\nname = \"optuna\"\n");
  EXPECT_THAT(merged.problems, IsEmpty());
  EXPECT_THAT(merged.settings.warnings(),
              ElementsAre("c.toml: no effect here: target (this version does not generate "
                          "hardware), num_targets (this version does not generate hardware), "
                          "search (this version does not search)"));
}

TEST(Settings, AFileThatAsksForAGpuGoesOnWithTheCpu) {
  const Merged merged = merge("accelerator = \"gpu\"\n");
  EXPECT_THAT(merged.problems, IsEmpty());
  EXPECT_EQ(merged.settings.text("accelerator"), "cpu");
  EXPECT_EQ(merged.settings.at("accelerator").file, Value("gpu"));
  EXPECT_THAT(merged.settings.warnings(),
              ElementsAre("c.toml:1:1: accelerator = \"gpu\" is not available: this build computes "
                          "on the CPU; going on with \"cpu\""));
  const Merged overridden = merge("accelerator = \"gpu\"\n", {"--accelerator", "cpu"});
  EXPECT_THAT(overridden.settings.warnings(), IsEmpty());
  EXPECT_EQ(overridden.settings.text("accelerator"), "cpu");
}

TEST(Settings, CountsThatAreNotPositiveBecomeNone) {
  const Merged merged = merge("log_every_n_steps = -1\n", {"--max-steps", "0"});
  EXPECT_FALSE(merged.settings.has("log_every_n_steps"));
  EXPECT_FALSE(merged.settings.has("max_steps"));
  EXPECT_THAT(merged.settings.warnings(),
              ElementsAre(HasSubstr("max_steps = 0 is ignored"),
                          HasSubstr("log_every_n_steps = -1 is ignored")));
  EXPECT_EQ(merge("").settings.integer("max_steps"), -1) << "the default stays as it is";
  const Merged meant = merge("log_every_n_steps = 0\n", {"--max-steps", "-1"});
  EXPECT_EQ(meant.settings.integer("max_steps"), -1);
  EXPECT_EQ(meant.settings.integer("log_every_n_steps"), 0);
  EXPECT_THAT(meant.settings.warnings(), ::testing::IsEmpty());
}

TEST(Settings, AMapOfColumnsIsTheSameTypedOrInAFile) {
  const Merged typed = merge(
      "", {"--columns", "features=mass,pt", "--columns=target=kind", "--columns", "classes=0,1"});
  const Merged file =
      merge("[data]\nfeatures = [\"mass\", \"pt\"]\ntarget = \"kind\"\nclasses = [0, 1]\n");
  EXPECT_THAT(typed.problems, IsEmpty());
  EXPECT_THAT(file.problems, IsEmpty());
  EXPECT_EQ(typed.settings.value("data"), file.settings.value("data"));
  const mase::data::ColumnMap map = column_map(file.settings.value("data"));
  EXPECT_THAT(map.features, ElementsAre("mass", "pt"));
  EXPECT_THAT(map.target, ElementsAre("kind"));
  EXPECT_THAT(map.classes, ElementsAre("0", "1"));
}

TEST(Settings, WhatIsWrongWithAMapOfColumnsIsSaid) {
  const auto problem = [](const std::string& toml, std::vector<std::string> arguments = {}) {
    const Merged merged = merge(toml, std::move(arguments));
    return merged.problems.size() == 1 ? merged.problems.front()
                                       : fmt::format("{} problems", merged.problems.size());
  };
  EXPECT_EQ(problem("[data]\nfeature = [\"a\"]\n"),
            "c.toml:1:2: 'data': unknown part 'feature' (did you mean 'features'?)");
  EXPECT_THAT(problem("[data]\nfeatures = [[\"a\"]]\n"), HasSubstr("a list of texts"));
  EXPECT_THAT(problem("[data]\nfeatures = []\n"), HasSubstr("features is an empty list"));
  EXPECT_THAT(problem("[data]\nfeatures = [\"a\", \"a\"]\n"), HasSubstr("'a' is named twice"));
  EXPECT_THAT(problem("data = 3\n"), HasSubstr("'data' must be a table, or \"NA\", not 3"));
  EXPECT_THAT(problem("", {"--columns", "mass,pt"}), HasSubstr("expected PART=NAME,..."));
  EXPECT_THAT(problem("", {"--columns", "target=a", "--columns", "target=b"}),
              HasSubstr("'target' is given twice"));
  EXPECT_THAT(problem("", {"--columns", "target=a", "--columns", "features=b,a"}),
              HasSubstr("'a' is both a feature and the target"));
}

TEST(Settings, PassesAreLeftToTransform) {
  EXPECT_THAT(merge("[passes.no_such_pass]\nx = 1\n").problems, IsEmpty());
  EXPECT_THAT(merge("passes = 3\n").problems, ElementsAre(HasSubstr("must be a table of passes")));
}

TEST(PlannedPasses, KeepTheOrderOfTheFileAndListAllProblems) {
  Diagnostics diagnostics;
  const auto file = mase::io::parse_toml(
      "[passes.summarize_quantization]\n[passes.quantize]\nby = \"type\"\n"
      "linear.config = {name = \"NA\"}\n"
      "[passes.quantise]\n[passes.report_quantized]\nbi = \"type\"\n",
      "c.toml");
  const auto plan = planned_passes(*file, diagnostics);
  ASSERT_GE(plan.size(), 2u);
  EXPECT_EQ(plan[0].pass->name, "summarize_quantization");
  EXPECT_EQ(plan[1].pass->name, "quantize");
  std::vector<std::string> problems;
  for (const mase::Problem& problem : diagnostics.problems()) problems.push_back(problem.text());
  ASSERT_GE(problems.size(), 2u);
  EXPECT_EQ(problems[0], "c.toml:5:9: unknown pass 'quantise'; did you mean 'quantize'?");
  EXPECT_THAT(problems[1], HasSubstr("c.toml:7:"));
  EXPECT_THAT(problems[1], HasSubstr("bi"));
}

}  // namespace
}  // namespace ch
