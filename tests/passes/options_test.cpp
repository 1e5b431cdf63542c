#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mase/passes/pass.h"

namespace mase::passes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Pass kPass{
    .name = "example",
    .options = {
        {.name = "by", .type = Option::Type::Text, .standard = "type", .choices = {"type", "name"}},
        {.name = "samples",
         .type = Option::Type::Int,
         .required = true,
         .help = "how many rows",
         .low = 1},
        {.name = "quantile", .type = Option::Type::Number, .low = 0, .high = 1},
        {.name = "nodes", .type = Option::Type::TextList},
        {.name = "file_name", .type = Option::Type::Path, .standard = "out.txt"}}};

const Pass kRules{.name = "rules",
                  .options = {{.name = "by", .type = Option::Type::Text, .required = true},
                              {.name = "*", .type = Option::Type::Table}}};

std::vector<std::string> problems(const Pass& pass, const ir::Dict& given) {
  Diagnostics diagnostics;
  check_options(pass, given, {.file = "a.toml"}, diagnostics);
  std::vector<std::string> out;
  for (const Problem& problem : diagnostics.problems()) out.push_back(problem.text());
  return out;
}

TEST(Options, DefaultsFillInWhatWasNotGiven) {
  Diagnostics diagnostics;
  const Options options = check_options(kPass, {{"samples", 5}}, {}, diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(options.text("by"), "type");
  EXPECT_EQ(options.integer("samples"), 5);
  EXPECT_EQ(options.find("quantile"), nullptr);
  EXPECT_EQ(options.text("file_name"), "out.txt");
}

TEST(Options, NoneIsAbsentWithoutTheDefault) {
  Diagnostics diagnostics;
  const ir::Dict given{{"samples", 5}, {"file_name", ir::None{}}};
  const Options options = check_options(kPass, given, {}, diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(options.find("file_name"), nullptr);
}

TEST(Options, NumbersAreFinite) {
  for (const double wrong : {double{NAN}, HUGE_VAL, -HUGE_VAL}) {
    EXPECT_THAT(problems(kPass, {{"samples", 1}, {"quantile", wrong}}),
                ElementsAre(HasSubstr("must be a finite number")));
  }
}

TEST(Options, AllProblemsAreReportedTogether) {
  const ir::Dict given{{"samples", 0}, {"by", "nmae"}, {"quantil", 0.5}, {"quantile", true}};
  EXPECT_THAT(problems(kPass, given),
              ElementsAre("a.toml: 'samples' is 0, must be at least 1",
                          "a.toml: 'by' cannot be 'nmae': choose from type, name; "
                          "did you mean 'name'?",
                          "a.toml: example has no option 'quantil'; did you mean 'quantile'?",
                          "a.toml: 'quantile' must be a number, not True"));
}

TEST(Options, ARequiredOptionMustBeGiven) {
  EXPECT_THAT(problems(kPass, {}),
              ElementsAre("a.toml: example needs the option 'samples'; how many rows"));
  EXPECT_THAT(problems(kPass, {{"samples", ir::None{}}}),
              ElementsAre("a.toml: example needs a value for 'samples'"));
}

TEST(Options, ATextListTakesOneTextOrTexts) {
  Diagnostics diagnostics;
  const Options one = check_options(kPass, {{"samples", 1}, {"nodes", "a"}}, {}, diagnostics);
  EXPECT_THAT(one.texts("nodes"), ElementsAre("a"));
  EXPECT_THAT(problems(kPass, {{"samples", 1}, {"nodes", ir::List{"a", 3}}}),
              ElementsAre(HasSubstr("'nodes' must be a list of texts, not ['a', 3]")));
}

TEST(Options, FreeKeysTakeTablesOnly) {
  EXPECT_THAT(problems(kRules, {{"by", "type"}, {"linear", ir::Dict{}}}), ElementsAre());
  EXPECT_THAT(problems(kRules, {{"by", "type"}, {"linear", 3}}),
              ElementsAre(HasSubstr("'linear' must be a table, not 3")));
}

TEST(Options, ProblemsAndPlacesPointAtTheKeys) {
  const ir::Named<Location> places{{"by", {.file = "q.toml", .line = 2}},
                                   {"linear", {.file = "q.toml", .line = 3}},
                                   {"linear.config.name", {.file = "q.toml", .line = 5}}};
  const ir::Dict given{{"by", 3}, {"linear", ir::Dict{}}};
  Diagnostics diagnostics;
  const Options options = check_options(kRules, given, {.file = "q.toml"}, diagnostics, places);
  ASSERT_EQ(diagnostics.problems().size(), 1u);
  EXPECT_EQ(diagnostics.problems()[0].text(), "q.toml:2: 'by' must be a text, not 3");
  EXPECT_EQ(options.where("linear.config.name").line, 5);
  EXPECT_EQ(options.where("linear.config.width").line, 3);
  EXPECT_EQ(options.where("default").line, 0);
}

}  // namespace
}  // namespace mase::passes
