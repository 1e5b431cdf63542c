#include "mase/support/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mase {
namespace {

using testing::HasSubstr;

bool matches(std::string_view pattern, std::string_view text) {
  return Pattern::parse(pattern).or_throw().matches(text);
}

std::string problem(std::string_view pattern) {
  const auto got = Pattern::parse(pattern);
  return got ? "none" : got.error().message;
}

TEST(Pattern, IsForTheWholeText) {
  EXPECT_TRUE(matches("seq_blocks_[25]", "seq_blocks_2"));
  EXPECT_FALSE(matches("seq_blocks_[25]", "seq_blocks_21"));
  EXPECT_FALSE(matches("blocks_2", "seq_blocks_2"));
  EXPECT_FALSE(matches("a|ab", "abc"));
  EXPECT_TRUE(matches("a|ab", "ab"));
}

TEST(Pattern, ReadsWhatPythonUsersWrite) {
  EXPECT_TRUE(matches(R"(\w+_\d{1,2})", "linear_12"));
  EXPECT_TRUE(matches("(?P<kind>linear|relu)_.*?", "relu_1"));
  EXPECT_TRUE(matches("(?:seq_)?blocks_[0-9]+", "blocks_7"));
  EXPECT_TRUE(matches("(?i)LINEAR_1", "linear_1"));
  EXPECT_TRUE(matches(R"(^seq\.[^.]+\.weight$)", "seq.0.weight"));
}

TEST(Pattern, SaysWhatItLacks) {
  EXPECT_THAT(problem("a_("), HasSubstr("'a_(' is no regular expression: missing )"));
  EXPECT_THAT(problem("(?!linear).*"), HasSubstr("lookahead is not supported"));
  EXPECT_THAT(problem("(?<=a)b"), HasSubstr("lookbehind is not supported"));
  EXPECT_THAT(problem(R"((a)\1)"), HasSubstr(R"(references to groups (\1))"));
  EXPECT_THAT(problem("(?P<a>x)(?P=a)"), HasSubstr("references to groups"));
  EXPECT_THAT(problem(R"(a\Z)"), HasSubstr("write \\z"));
  EXPECT_THAT(problem("a\xff"), HasSubstr("UTF-8"));
}

TEST(Pattern, NeitherDepthNorBacktrackingHurts) {
  const std::string deep = std::string(20'000, '(') + "a" + std::string(20'000, ')');
  EXPECT_TRUE(matches(deep, "a"));
  EXPECT_LT(problem(deep + "(").size(), 1000u);
  EXPECT_NE(problem("((a{1000}){1000}){1000}"), "none");
  EXPECT_FALSE(matches("(a*)*b", std::string(100'000, 'a')));
  EXPECT_TRUE(matches("(a|a)*", std::string(1'000'000, 'a')));
}

}  // namespace
}  // namespace mase
