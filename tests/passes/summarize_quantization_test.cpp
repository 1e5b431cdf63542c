#include "mase/passes/analysis/summarize_quantization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "mase/numerics/format.h"
#include "tests/passes/networks.h"
#include "tests/shared_data.h"

namespace mase::passes {
namespace {

using numerics::integer;

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

nlohmann::json golden_section(const char* section) {
  return nlohmann::json::parse(
      content(std::filesystem::path(MASE_SOURCE_DIR) / "tests/golden/passes.json"))[section];
}

QuantizationSummary summary_of(const ir::Graph& graph, const QuantizeOptions& options) {
  return summarize_quantization(graph, quantize(graph, options));
}

const QuantizeOptions kLinear{
    .rules = {{"default", ir::Dict{{"name", ir::None{}}}}, {"linear", integer(8, 4)}}};

TEST(SummarizeQuantization, HistogramsOfTheReports) {
  const nlohmann::json expected = golden_section("quantised_histogram");
  EXPECT_EQ(summary_of(jsc_toy(), kLinear).histogram_table(),
            expected["three_linear_net_linear_only"]["text"]);
  EXPECT_EQ(summary_of(jsc_10x(), kLinear).histogram_table(),
            expected["three_linear_net_linear_only"]["text"]);
  EXPECT_EQ(summary_of(jsc_tiny(), kLinear).histogram_table(),
            expected["jsc-tiny_linear_only"]["text"]);
  // A graph compared with itself, as a notebook cell that is run twice does.
  const ir::Graph relu = quantize(jsc_tiny(), {.rules = {{"relu", integer(16, 8)}}});
  EXPECT_EQ(summarize_quantization(relu, relu).histogram_table(),
            expected["jsc-tiny_relu_compare_of_two_already_quantised_graphs"]["text"]);
}

TEST(SummarizeQuantization, NodeTableOfTheReports) {
  const QuantizationSummary summary = summary_of(jsc_tiny(), kLinear);
  const nlohmann::json expected = golden_section("compare_nodes_jsc-tiny_linear_only")["rows"];
  ASSERT_EQ(summary.nodes.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const NodeComparison& node = summary.nodes[i];
    EXPECT_EQ(nlohmann::json({node.original_name, node.name, node.mase_type, node.mase_op,
                              node.original_type, node.quantised_type, node.changed}),
              expected[i]);
  }
}

TEST(SummarizeQuantization, SaysWhyANodeWasLeftAlone) {
  ir::Dict bypass = integer_config(8, 4);
  bypass.emplace_back("bypass", true);
  const ir::Graph graph = jsc_toy();
  const auto why = [&](const QuantizeOptions& options, std::size_t node) {
    return summary_of(graph, options).nodes[node].why;
  };
  EXPECT_EQ(why(kLinear, 0), "no operation");
  EXPECT_EQ(why(kLinear, 1), "op 'batch_norm1d' is not quantisable");
  EXPECT_EQ(why(kLinear, 2), "its rule says name = \"NA\"");
  EXPECT_EQ(why(kLinear, 3), "integer(8, 4) for data_in_0, weight, bias");
  const ArgumentFormats mixed{
      .data_in = integer(8, 4), .weight = integer(8, 4), .bias = integer(16, 8)};
  EXPECT_EQ(why({.rules = {{"linear", mixed}}}, 3),
            "integer(8, 4) for data_in_0, weight; integer(16, 8) for bias");
  EXPECT_EQ(why({.rules = {{"linear", integer(8, 4)}}}, 2), "no rule selects it");
  EXPECT_EQ(why({.rules = {{"linear", bypass}}}, 3), "its rule says bypass = true");
  const ir::Graph quantised = quantize(graph, kLinear);
  EXPECT_EQ(summarize_quantization(quantised, quantised).nodes[3].why,
            "quantised before: integer(8, 4) for data_in_0, weight, bias");
}

TEST(SummarizeQuantization, FilesEqualThoseOfTheOriginal) {
  MASE_NEEDS_SHARED_DATA("mase_runs/transform_toy_by_type/quantize_table.csv");
  const std::filesystem::path run = shared_data() / "mase_runs/transform_toy_by_type";
  const auto folder = std::filesystem::path(testing::TempDir()) / "summarize_quantization";
  save_summary(summary_of(jsc_toy(), kLinear), folder);
  EXPECT_EQ(content(folder / "quantize_table.csv"), content(run / "quantize_table.csv"));
  EXPECT_EQ(content(folder / "quantize_histogram.csv"), content(run / "quantize_histogram.csv"));
  EXPECT_THAT(content(folder / "quantize_reasons.csv"),
              testing::HasSubstr("seq_blocks_0,BatchNorm1d,BatchNorm1d,op 'batch_norm1d' is not "
                                 "quantisable\n"));
  std::filesystem::remove_all(folder);
}

// What the original shows for linear, relu and add at 8.4; rules may select nothing.
TEST(SummarizeQuantization, LogAndTableTogetherEqualTheLogOfTheOriginal) {
  const std::string folder = "mase_runs/vectors/graphs/";
  MASE_NEEDS_SHARED_DATA(folder + "jsc-toy__jsc.quantize_histogram.txt");
  const QuantizeOptions options{.rules = {{"default", ir::Dict{{"name", ir::None{}}}},
                                          {"linear", integer(8, 4), true},
                                          {"relu", integer(8, 4), true},
                                          {"add", integer(8, 4), true}}};
  for (const auto& [file, graph] :
       std::vector<std::pair<std::string, ir::Graph>>{{"jsc-tiny__jsc", jsc_tiny()},
                                                      {"jsc-toy__jsc", jsc_toy()},
                                                      {"jsc-s__jsc", jsc_s()},
                                                      {"toy__toy_tiny", toy()},
                                                      {"toy_tiny__toy_tiny", toy_tiny()}}) {
    std::ostringstream text;  // both streams in one window
    const Context context{.out = &text,
                          .info = [&](std::string_view line) { text << line << "\n"; }};
    print_summary(summary_of(graph, options), context);
    EXPECT_EQ(text.str(), content(shared_data() / (folder + file + ".quantize_histogram.txt")))
        << file;
  }
}

// In the original a function written in its own language did not count as changed.
TEST(SummarizeQuantization, FunctionsCountAsChanged) {
  const ir::Graph graph = NetworkBuilder("functions")
                              .function("torch.nn.functional.relu", {ir::NodeRef{"x"}})
                              .function("operator.add", {ir::NodeRef{"x"}, ir::NodeRef{"relu"}})
                              .done();
  const QuantizationSummary summary =
      summary_of(graph, {.rules = {{"relu", integer(8, 4)}, {"add", integer(8, 4)}}});
  EXPECT_TRUE(summary.nodes[1].changed);
  EXPECT_EQ(summary.nodes[1].quantised_type, "relu_integer");
  EXPECT_TRUE(summary.nodes[2].changed);
  EXPECT_EQ(summary.nodes[2].quantised_type, "add_integer");
}

TEST(SummarizeQuantization, PrintsAndConverts) {
  const QuantizationSummary summary = summary_of(jsc_tiny(), kLinear);
  const std::string text = fmt::format("{}", summary);
  EXPECT_THAT(text, testing::HasSubstr("| Ori name     | New name     |"));
  EXPECT_THAT(text, testing::HasSubstr("| Linear          | linear       |       1 |"));
  EXPECT_EQ(summary.to_value().find("histogram")->as_list().size(), 5u);
}

TEST(SummarizeQuantization, NeedsTheGraphBefore) {
  Context context;
  EXPECT_THROW(run_pass(kSummarizeQuantization, jsc_tiny(), {}, context), Error);
}

}  // namespace
}  // namespace mase::passes
