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
        {.name = "by", .type = FieldType::Text, .standard = "type", .choices = {"type", "name"}},
        {.name = "samples", .type = FieldType::Int, .low = 1, .help = "how many rows"},
        {.name = "quantile", .type = FieldType::Real, .standard = kOpen, .low = 0, .high = 1},
        {.name = "nodes", .type = FieldType::List, .standard = kOpen, .items = FieldType::Text},
        {.name = "file_name", .type = FieldType::Path, .standard = "out.txt"}}};

const Pass kRules{.name = "rules",
                  .options = {{.name = "by", .type = FieldType::Text},
                              {.name = "*", .type = FieldType::Table, .standard = kOpen}}};

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

TEST(Options, NoneIsForFieldsThatMayStayOpen) {
  Diagnostics diagnostics;
  const ir::Dict given{{"samples", 5}, {"nodes", ir::None{}}};
  const Options options = check_options(kPass, given, {}, diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(options.find("nodes"), nullptr);
  EXPECT_THAT(problems(kPass, {{"samples", 5}, {"file_name", ir::None{}}}),
              ElementsAre("a.toml: file_name must be a path, not \"NA\""));
}

TEST(Options, ValuesAreWhatTheirFieldsSay) {
  Diagnostics diagnostics;
  const ir::Dict given{{"samples", 5}, {"quantile", 1}, {"nodes", "a"}};
  const Options options = check_options(kPass, given, {}, diagnostics);
  EXPECT_TRUE(options.at("quantile").is<double>());
  EXPECT_TRUE(options.at("nodes").is<ir::List>());
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
              ElementsAre("a.toml: samples must be a whole number at least 1, not 0",
                          "a.toml: by must be one of type, name, not 'nmae'; "
                          "did you mean 'name'?",
                          "a.toml: example has no option 'quantil'; did you mean 'quantile'?",
                          "a.toml: quantile must be a number from 0 to 1, or \"NA\", not True"));
}

TEST(Options, ARequiredOptionMustBeGiven) {
  EXPECT_THAT(problems(kPass, {}),
              ElementsAre("a.toml: example needs the option 'samples'; how many rows"));
  EXPECT_THAT(problems(kPass, {{"samples", ir::None{}}}),
              ElementsAre("a.toml: samples must be a whole number at least 1, not \"NA\""));
}

TEST(Options, ATextListTakesOneTextOrTexts) {
  Diagnostics diagnostics;
  const Options one = check_options(kPass, {{"samples", 1}, {"nodes", "a"}}, {}, diagnostics);
  EXPECT_THAT(one.texts("nodes"), ElementsAre("a"));
  EXPECT_THAT(problems(kPass, {{"samples", 1}, {"nodes", ir::List{"a", 3}}}),
              ElementsAre(HasSubstr("nodes must be a list of texts, or \"NA\", not ['a', 3]")));
}

TEST(Options, FreeKeysTakeTablesOnly) {
  EXPECT_THAT(problems(kRules, {{"by", "type"}, {"linear", ir::Dict{}}}), ElementsAre());
  EXPECT_THAT(problems(kRules, {{"by", "type"}, {"linear", 3}}),
              ElementsAre(HasSubstr("linear must be a table, or \"NA\", not 3")));
}

TEST(Options, ProblemsAndPlacesPointAtTheKeys) {
  const ir::Named<Location> places{{"by", {.file = "q.toml", .line = 2}},
                                   {"linear", {.file = "q.toml", .line = 3}},
                                   {"linear.config.name", {.file = "q.toml", .line = 5}}};
  const ir::Dict given{{"by", 3}, {"linear", ir::Dict{}}};
  Diagnostics diagnostics;
  const Options options = check_options(kRules, given, {.file = "q.toml"}, diagnostics, places);
  ASSERT_EQ(diagnostics.problems().size(), 1u);
  EXPECT_EQ(diagnostics.problems()[0].text(), "q.toml:2: by must be a text, not 3");
  EXPECT_EQ(options.where("linear.config.name").line, 5);
  EXPECT_EQ(options.where("linear.config.width").line, 3);
  EXPECT_EQ(options.where("default").line, 0);
}

}  // namespace
}  // namespace mase::passes
