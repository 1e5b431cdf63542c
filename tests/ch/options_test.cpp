// The option rows: consistent with each other, and each one parsed, explained and checked.
#include "ch/options/option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include "ch/action.h"
#include "ch/options/command_line.h"
#include "ch/options/completion.h"
#include "ch/options/help.h"
#include "mase/support/log.h"
#include "mase/train/optimiser.h"

namespace ch {
namespace {

using mase::Diagnostics;
using mase::FieldType;
using mase::ir::Value;
using testing::HasSubstr;

std::string test_name(const testing::TestParamInfo<const Option*>& info) {
  return std::string(info.param->dest());
}

// A value that the row takes.
std::string valid_text(const Option& option) {
  if (!option.field.choices.empty()) return std::string(option.field.choices.back());
  switch (option.field.type) {
    case FieldType::Int:
      return option.field.high == 1 ? "1" : "7";
    case FieldType::Real:
      return "0.25";
    case FieldType::Path:
      return option.form == Form::Folder ? MASE_SOURCE_DIR "/tests"
                                         : MASE_SOURCE_DIR "/CMakeLists.txt";
    case FieldType::Table:
      return "features=a,b";
    default:
      return "name";
  }
}

class EachOption : public testing::TestWithParam<const Option*> {};

TEST_P(EachOption, IsReadInBothForms) {
  const Option& option = *GetParam();
  if (option.is_positional()) return;
  for (const std::string_view flag : option.flags) {
    Diagnostics diagnostics;
    if (!option.takes_value()) {
      const CommandLine line = read_command_line(std::vector{std::string(flag)}, diagnostics);
      ASSERT_TRUE(line.find(option.dest()));
      EXPECT_EQ(*line.find(option.dest()), Value(true));
      continue;
    }
    const std::string text = valid_text(option);
    const CommandLine apart = read_command_line(std::vector{std::string(flag), text}, diagnostics);
    const CommandLine joined =
        read_command_line(std::vector{std::string(flag) + "=" + text}, diagnostics);
    EXPECT_TRUE(diagnostics.empty()) << flag;
    ASSERT_TRUE(apart.find(option.dest()) && joined.find(option.dest())) << flag;
    EXPECT_EQ(*apart.find(option.dest()), *joined.find(option.dest()));
  }
}

TEST_P(EachOption, RefusesAWrongValue) {
  const Option& option = *GetParam();
  const FieldType type = option.field.type;
  const bool any_text = type == FieldType::Text && option.field.choices.empty();
  if (any_text || type == FieldType::Bool || type == FieldType::List) return;
  const std::string wrong =
      option.form == Form::Folder ? MASE_SOURCE_DIR "/CMakeLists.txt" : "/no/such/thing";
  Diagnostics diagnostics;
  const std::string given = std::string(option.flags.front()) + "=" + wrong;
  const CommandLine line = read_command_line(std::vector{given}, diagnostics);
  for (const mase::Problem& problem : line.missing.problems()) diagnostics.add(problem.message);
  ASSERT_EQ(diagnostics.problems().size(), 1u);
  EXPECT_THAT(diagnostics.problems()[0].message, HasSubstr(option.flags.front()));
  EXPECT_THAT(diagnostics.problems()[0].message, HasSubstr(wrong));
}

TEST_P(EachOption, IsExplained) {
  const Option& option = *GetParam();
  EXPECT_FALSE(option.field.help.empty());
  EXPECT_NE(option.used_by, 0u);
  const std::string general = help_text(nullptr, 80);
  const std::string markdown = options_markdown();
  for (const std::string_view flag : option.flags) {
    EXPECT_THAT(general, HasSubstr(flag));
    EXPECT_THAT(markdown, HasSubstr(flag));
    for (const std::string_view shell : {"bash", "zsh"}) {
      EXPECT_THAT(completion_script(shell), HasSubstr(flag));
    }
    EXPECT_THAT(completion_script("fish"), HasSubstr("-l " + std::string(flag.substr(2))));
  }
  for (const Action& action : actions()) {
    if (option.is_positional()) continue;
    const std::string head = "\n  " + (option.short_flag.empty() ? std::string(option.flags.front())
                                                                 : std::string(option.short_flag));
    const bool shown = help_text(&action, 80).find(head) != std::string::npos;
    EXPECT_EQ(shown, (option.used_by & action.bit) != 0) << action.name;
  }
}

TEST_P(EachOption, HoldsItsOwnRules) {
  const Option& option = *GetParam();
  Value standard = option.standard();
  EXPECT_EQ(check_value(option, standard), "") << "the default itself is refused";
  EXPECT_EQ(option.takes_value(), !option.metavar.empty()) << "metavar for values only";
  EXPECT_FALSE(option.field.must_be_given()) << "standard is a value or kOpen";
  for (const Refusal& refusal : option.refused) {
    Value value = refusal.value;
    EXPECT_THAT(check_value(option, value), HasSubstr(refusal.reason));
  }
}

TEST_P(EachOption, HasBoundsThatKeepItFromOverflow) {
  const Option& option = *GetParam();
  if (option.field.type == FieldType::Int && option.dest() != "seed") {  // whose every bit counts
    Value most = std::numeric_limits<std::int64_t>::max();
    EXPECT_THAT(check_value(option, most), HasSubstr("must "));
  }
  if (option.field.type != FieldType::Real) return;
  for (const double wrong : {double{NAN}, HUGE_VAL, -HUGE_VAL}) {
    Value value = wrong;
    EXPECT_THAT(check_value(option, value), HasSubstr("must be a finite number"));
  }
}

std::vector<const Option*> all_options() {
  std::vector<const Option*> rows;
  for (const Option& option : options()) rows.push_back(&option);
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Rows, EachOption, testing::ValuesIn(all_options()), test_name);

TEST(OptionTable, NamesAreUnique) {
  std::set<std::string_view> seen;
  for (const Option& option : options()) {
    EXPECT_TRUE(seen.insert(option.dest()).second) << option.dest();
    for (const std::string_view flag : option.flags) EXPECT_TRUE(seen.insert(flag).second) << flag;
  }
  for (const Absent& absent : absent_options()) {
    const Option* option = find_option(absent.dest);
    EXPECT_TRUE(!option || !option->in_table) << absent.dest << " exists";
    EXPECT_FALSE(find_flag(absent.flag)) << absent.flag << " exists";
  }
}

TEST(OptionTable, AgreesWithTheLibrary) {
  const auto choices = [](std::string_view dest) {
    const auto& found = find_option(dest)->field.choices;
    return std::set<std::string_view>(found.begin(), found.end());
  };
  const auto optimisers = mase::train::optimiser_names();
  EXPECT_EQ(choices("training_optimizer"),
            std::set<std::string_view>(optimisers.begin(), optimisers.end()));
  std::set<std::string> levels;
  for (const std::string_view level : choices("log_level")) levels.emplace(level);
  const auto names = mase::log_level_names();
  EXPECT_EQ(levels, std::set<std::string>(names.begin(), names.end()));
}

TEST(OptionTable, IsWhatTheDocumentationShows) {
  std::ifstream in(MASE_SOURCE_DIR "/docs/options.md");
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_THAT(text.str(), testing::EndsWith(options_markdown()))
      << "bring it up to date: (head -4 docs/options.md; ch help options)";
}

TEST(OptionTable, DefaultsAreThoseOfMase) {
  const std::vector<std::pair<std::string_view, std::string_view>> expected = {
      {"task", "classification"},
      {"batch_size", "128"},
      {"to_debug", "False"},
      {"log_level", "info"},
      {"report_to", "tensorboard"},
      {"seed", "0"},
      {"training_optimizer", "adam"},
      {"trainer_precision", "16-mixed"},
      {"learning_rate", "1e-05"},
      {"weight_decay", "0"},
      {"max_epochs", "20"},
      {"max_steps", "-1"},
      {"accumulate_grad_batches", "1"},
      {"log_every_n_steps", "50"},
      {"num_devices", "1"},
      {"accelerator", "auto"},
      {"load_name", "None"},
      {"project", "None"},
      {"disable_dataset_cache", "False"}};
  for (const auto& [dest, text] : expected) {
    EXPECT_EQ(shown(find_option(dest)->standard()), text) << dest;
  }
}

TEST(ActionTable, BitsAndNamesAreUnique) {
  std::set<unsigned> bits;
  std::set<std::string_view> names;
  for (const Action& action : actions()) {
    EXPECT_TRUE(bits.insert(action.bit).second);
    EXPECT_TRUE(names.insert(action.name).second);
    EXPECT_TRUE(action.run);
    EXPECT_FALSE(action.summary.empty());
  }
}

}  // namespace
}  // namespace ch
