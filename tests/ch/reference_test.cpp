// What `ch help` says of passes, formats and ops, and tables that fit.
#include "ch/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "ch/fitted_table.h"
#include "mase/io/text/toml.h"
#include "mase/passes/transform/quantize_config.h"
#include "mase/support/terminal.h"

namespace ch {
namespace {

using testing::HasSubstr;

std::size_t widest(const std::string& text) {
  std::istringstream lines(text);
  std::size_t most = 0;
  for (std::string line; std::getline(lines, line);) {
    most = std::max(most, mase::visible_width(line));
  }
  return most;
}

// From a line on; "" if it is not there.
std::string from(const std::string& text, const std::string& start) {
  const std::size_t at = text.find(start);
  return at == std::string::npos ? "" : text.substr(at);
}

TEST(FittedTable, WrapsBetweenWordsOrBecomesParagraphs) {
  const std::vector<std::string> headers = {"Name", "Keys", "About"};
  const std::vector<std::vector<mase::Cell>> rows = {
      {std::string("jsc-tiny"), std::string("target_activation_nodes, by"),
       std::string("one linear layer on normalised features")}};
  EXPECT_EQ(fitted_table(headers, rows, 100),
            "Name      Keys                         About\n"
            "--------  ---------------------------  ---------------------------------------\n"
            "jsc-tiny  target_activation_nodes, by  one linear layer on normalised features\n");
  EXPECT_EQ(fitted_table(headers, rows, 60),
            "Name      Keys                      About\n"
            "--------  ------------------------  -------------------\n"
            "jsc-tiny  target_activation_nodes,  one linear layer on\n"
            "          by                        normalised features\n");
  EXPECT_EQ(fitted_table(headers, rows, 40),
            "jsc-tiny\n"
            "  Keys   target_activation_nodes, by\n"
            "  About  one linear layer on normalised\n"
            "         features\n");
}

TEST(Reference, OfOpsFitsAndItsExamplesHold) {
  for (const mase::ops::Op* op : mase::ops::ops()) {
    for (const int width : {58, 78}) EXPECT_LE(widest(reference_of(*op, width)), 78u) << op->name;
    const std::string layer = example_layer(*op);
    if (!layer.empty()) {
      EXPECT_EQ(mase::ops::parse_layer(layer).op, op) << layer;
    }
    const std::string toml = from(reference_of(*op, 78), "[passes.quantize]");
    EXPECT_EQ(toml.empty(), op->quantisable.empty()) << op->name;
    if (toml.empty()) continue;
    const auto parsed = mase::io::parse_toml(toml, "example");
    ASSERT_TRUE(parsed.ok()) << toml;
    const auto* rule = parsed->find("passes")->find("quantize")->find(op->name);
    mase::Diagnostics diagnostics;
    mase::passes::read_quantise_config(rule->find("config")->to_value().as_dict(), {}, {},
                                       diagnostics);
    for (const auto& problem : diagnostics.problems()) ADD_FAILURE() << toml << problem.text();
  }
}

TEST(Reference, OfAnOpNamesArgumentsAttributesAndGroups) {
  const std::string text = reference_of(*mase::ops::find_op("linear"), 78);
  for (const char* part :
       {"Appears as the layer Linear", "data_in_0", "data_in_...", "weight_...", "bias_...",
        "in_features", "required", "\"Linear(in_features=16, out_features=8)\"",
        "data_in_frac_width = 4"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(reference_of(*mase::ops::find_op("dropout"), 78), HasSubstr("No number format"));
}

TEST(Reference, OfPassesAndFormatsFitsAndShowsAnExample) {
  for (const mase::passes::Pass* pass : mase::passes::passes()) {
    const std::string text = reference_of(*pass, 58);
    const std::string example = from(text, "\nExample");
    EXPECT_THAT(example, HasSubstr(mase::passes::example(*pass)));
    EXPECT_LE(widest(text.substr(0, text.size() - example.size())), 58u) << text;
  }
  for (const auto* format : mase::numerics::formats()) {
    EXPECT_LE(widest(reference_of(*format, 58)), 58u) << format->name;
  }
}

}  // namespace
}  // namespace ch
