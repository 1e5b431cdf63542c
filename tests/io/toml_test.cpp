#include "mase/io/toml.h"

#include <gtest/gtest.h>

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

TEST(Toml, MissingFileSaysSo) {
  const Result<TomlNode> result = read_toml("does/not/exist.toml");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "file not found");
}

}  // namespace
}  // namespace mase::io
