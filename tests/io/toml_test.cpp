#include "mase/io/text/toml.h"

#include <gtest/gtest.h>

#include "tests/io/bounds.h"

namespace mase::io {
namespace {

TomlNode parsed(std::string_view text) {
  return parse_toml(text, "a.toml").or_throw();
}

TEST(Toml, KeepsTheOrderOfTheFile) {
  const TomlNode root =
      parsed("[passes.zeta]\na = 1\n[passes.alpha]\nb = 2\n[passes.mid.x]\nc = 3\n");
  const TomlNode* passes = root.find("passes");
  ASSERT_NE(passes, nullptr);
  ASSERT_EQ(passes->table.size(), 3u);
  EXPECT_EQ(passes->table[0].first, "zeta");
  EXPECT_EQ(passes->table[1].first, "alpha");
  EXPECT_EQ(passes->table[2].first, "mid");
  EXPECT_EQ(passes->table[1].second.find("b")->where.line, 4);
}

TEST(Toml, NaIsNoneAlsoInLists) {
  const TomlNode root = parsed("a = \"NA\"\nb = [1, \"NA\", \"x\"]\n");
  EXPECT_TRUE(root.find("a")->value.is_none());
  EXPECT_EQ(ir::repr(root.find("b")->value), "[1, None, 'x']");
}

TEST(Toml, ErrorsHaveAPlace) {
  const Result<TomlNode> result = parse_toml("a = 1\nb = = 2\n", "bad.toml");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().where.file, "bad.toml");
  EXPECT_EQ(result.error().where.line, 2);
}

TEST(Toml, WritesWhatItReads) {
  const ir::Dict values{
      {"rate", 1e-5},
      {"none", ir::None{}},
      {"text", "say \"x\"\n"},
      {"table", ir::Dict{{"on", true}, {"inner", ir::Dict{{"list", ir::List{1, 2}}}}}},
      {"last", 3},
  };
  const ir::Value back = parsed(write_toml(values)).to_value();
  for (const auto& [key, value] : values) {
    ASSERT_NE(back.find(key), nullptr) << key;
    EXPECT_EQ(ir::repr(*back.find(key)), ir::repr(value));
  }
  EXPECT_NE(write_toml(values).find("rate = 1e-05"), std::string::npos);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// Every way to nest, as deep as is read, and deeper.
TEST(Toml, DepthIsBoundedBeforeItIsParsed) {
  const auto all = [](std::size_t n) {
    return std::vector<std::string>{
        "a" + repeated(".a", n - 1) + " = 1\n",
        "[a" + repeated(".a", n - 2) + "]\nb = 1\n",
        "a = " + repeated("[", n) + "1" + repeated("]", n) + "\n",
        "a = " + repeated("{a = ", n) + "1" + repeated("}", n) + "\n",
        "a = " + repeated("[{a.a.a = ", n / 4) + "1" + repeated("}]", n / 4) + "\n",
        "'a.a'" + repeated(" . \"a\"", n) + " = 1\n"};
  };
  for (const std::string& text : all(100)) {
    const auto got = parse_toml(text, "a.toml");
    EXPECT_TRUE(got.ok()) << text << got.error().message;
  }
  for (const std::size_t n : {std::size_t{200}, std::size_t{100'000}}) {
    for (const std::string& text : all(n)) {
      const auto got = parse_toml("# a\n" + text, "a.toml");
      ASSERT_FALSE(got.ok()) << text.substr(0, 100);
      EXPECT_NE(got.error().message.find("more than 100 deep"), std::string::npos)
          << got.error().message;
      EXPECT_EQ(got.error().where.line, 2);
    }
  }
}

TEST(Toml, DotsInTextsNumbersAndCommentsAreNoDepth) {
  const std::string dots(1000, '.');
  const std::string brackets(1000, '[');
  const std::string text =
      "a = \"" + dots + "\\\"" + brackets + "\" # " + dots + brackets + "\nb = '" + dots +
      "\\'\nc = \"\"\"\n\"" + brackets + "\"\"\"\"\"\nd = '''" + dots + "''''\ne = [" +
      repeated("1.5, 2020-01-01T00:00:00.5, ", 1000) + "]\n'" + dots + "' = 1\n";
  const auto got = parse_toml(text, "a.toml");
  ASSERT_TRUE(got.ok()) << got.error().where.text() << got.error().message;
  // Quotes that end a text do not hide what follows it.
  const std::string deep = "{a" + repeated(".a", 20'000) + " = 1}]\n";
  for (const char* before : {R"(a = ["""x"""", )", "a = ['''x'''', ", R"(a = ["\\", )"}) {
    const auto hidden = parse_toml(before + deep, "a.toml");
    ASSERT_FALSE(hidden.ok()) << before;
    EXPECT_NE(hidden.error().message.find("deep"), std::string::npos) << hidden.error().message;
  }
}

// A hundred levels around 100,000 numbers, each of which was once kept at every level.
TEST(Toml, MemoryIsInProportionToTheText) {
  const std::string text =
      "layers = " + std::string(98, '[') + repeated("1,", 100'000) + std::string(98, ']') + "\n";
  EXPECT_TRUE(
      tests::runs_within(std::size_t{200} << 20, [&] { return parse_toml(text, "a.toml").ok(); }));
}

TEST(Toml, MissingFileSaysSo) {
  const Result<TomlNode> result = read_toml("does/not/exist.toml");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "file not found");
}

}  // namespace
}  // namespace mase::io
