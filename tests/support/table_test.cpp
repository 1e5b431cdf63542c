#include "mase/support/table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "mase/support/wrap.h"

namespace mase {
namespace {

nlohmann::json read_golden(const char* name) {
  std::ifstream file(std::string(MASE_SOURCE_DIR) + "/tests/support/tables/" + name);
  return nlohmann::json::parse(file);
}

Cell cell_of(const nlohmann::json& value) {
  if (value.is_null()) return {};
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  return value.get<std::string>();
}

TEST(Table, MarkdownSaysHowColumnsAreAligned) {
  EXPECT_EQ(format_table({"name", "n", "mid"}, {{"a|b", 1, "x\ny"}, {"c", 20, ""}},
                         {.style = TableStyle::Markdown,
                          .align = {Align::Left, Align::Natural, Align::Centre}}),
            "| name   |   n |  mid   |\n"
            "|:-------|----:|:------:|\n"
            "| a\\|b   |   1 | x<br>y |\n"
            "| c      |  20 |        |");
}

TEST(Table, PrintsWhatTabulatePrints) {
  const std::map<std::string, TableStyle> styles{{"simple", TableStyle::Simple},
                                                 {"orgtbl", TableStyle::Orgtbl},
                                                 {"grid", TableStyle::Grid},
                                                 {"pretty", TableStyle::Pretty}};
  const nlohmann::json cases = read_golden("tabulate.json");
  ASSERT_EQ(cases.size(), 50u);
  for (const auto& c : cases) {
    std::vector<std::vector<Cell>> rows;
    for (const auto& row : c["rows"]) {
      rows.emplace_back();
      for (const auto& cell : row) rows.back().push_back(cell_of(cell));
    }
    TableOptions options{.style = styles.at(c["style"]), .painted = true};
    if (c.contains("align")) options.align = {Align::Left};
    if (c.contains("max_width")) options.max_width = c["max_width"];
    EXPECT_EQ(format_table(c["headers"], rows, options), c["text"].get<std::string>())
        << c["name"] << " " << c["style"];
  }
}

TEST(Table, WrapsItsHeaderToo) {
  EXPECT_EQ(
      format_table({"a header of words"}, {{"x"}}, {.style = TableStyle::Pretty, .max_width = 8}),
      "+----------+\n"
      "| a header |\n"
      "| of words |\n"
      "+----------+\n"
      "|    x     |\n"
      "+----------+");
}

TEST(Wrap, CutsAWordThatIsLongerThanTheLine) {
  EXPECT_EQ(wrap_text("ab cdefghijkl mn", 5),
            (std::vector<std::string>{"ab cd", "efghi", "jkl", "mn"}));
}

TEST(Wrap, KeepsLineBreaksAndDropsEmptyLines) {
  EXPECT_EQ(wrap_text("one\n\ntwo three", 9), (std::vector<std::string>{"one", "two three"}));
}

TEST(Wrap, NeverSplitsACodePoint) {
  EXPECT_EQ(wrap_text("äöüß", 2), (std::vector<std::string>{"äö", "üß"}));
}

}  // namespace
}  // namespace mase
