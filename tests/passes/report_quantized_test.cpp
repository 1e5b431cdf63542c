#include "mase/passes/analysis/report_quantized.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "mase/io/arrays/npz.h"
#include "mase/numerics/format.h"
#include "tests/passes/networks.h"

namespace mase::passes {
namespace {

using numerics::integer;
using testing::ElementsAre;
using testing::HasSubstr;

// A layer of one input with chosen weights: one tie, two out of range.
ir::Graph quantised_example() {
  ir::Graph graph = chain("example", "l", {"Linear(1, 4)"});
  const std::vector<float> weights = {-0.2631f, 0.03125f, 9.0f, -8.5f};
  graph.find_parameter("l.0.weight")->value = ir::Tensor::from<float>({4, 1}, weights);
  return quantize(graph, {.rules = {{"linear", integer(8, 4)}}});
}

TEST(ReportQuantized, ValuesCodesErrorsAndSaturation) {
  const ir::Graph graph = quantised_example();
  const QuantisedParameter weight = quantised_parameter(graph, graph.node("l_0"), "weight");
  EXPECT_EQ(weight.name, "l.0.weight");
  EXPECT_THAT(weight.codes.values<std::int64_t>(), ElementsAre(-4, 0, 127, -128));
  EXPECT_THAT(weight.quantised.values<float>(), ElementsAre(-0.25f, 0.0f, 7.9375f, -8.0f));
  EXPECT_THAT(weight.errors.values<float>(),
              ElementsAre(-0.25f + 0.2631f, -0.03125f, -1.0625f, 0.5f));
  EXPECT_EQ(weight.saturated, 2);
  EXPECT_DOUBLE_EQ(weight.largest_error, 1.0625);
  EXPECT_EQ(weight.code_text(0), "-4/16");
}

TEST(ReportQuantized, NamesWhatIsNotThere) {
  const ir::Graph graph = quantised_example();
  EXPECT_THROW(quantised_parameter(graph, graph.node("l_0"), "wieght"), Error);
  const ir::Graph plain = jsc_tiny();
  EXPECT_THROW(quantised_parameter(plain, plain.node("seq_blocks_2"), "weight"), Error);
  EXPECT_TRUE(report_quantized(plain).parameters.empty());
}

TEST(ReportQuantized, PrintsASummaryAndTheFirstElements) {
  const QuantizedReport report = report_quantized(quantised_example());
  ASSERT_EQ(report.parameters.size(), 2u);
  const std::string text = report.text(2);
  EXPECT_THAT(text, HasSubstr("| l.0.weight  | integer(8, 4) |          4 |           2 |"));
  EXPECT_THAT(text, HasSubstr("l.0.weight, 2 of 4:\n"));
  EXPECT_THAT(text, HasSubstr("|  -4/16 |"));
  EXPECT_THAT(report.text(0), testing::Not(HasSubstr("of 4")));
}

TEST(ReportQuantized, DumpsEveryElement) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "report_quantized";
  const QuantizedReport report = report_quantized(quantised_example());
  save_quantized(report, folder / "all.npz");
  const ir::State arrays = io::read_npz(folder / "all.npz").or_throw();
  EXPECT_EQ(arrays.size(), 8u);
  EXPECT_EQ(*ir::find(arrays, "l.0.weight.codes"), report.parameters[0].codes);
  EXPECT_EQ(*ir::find(arrays, "l.0.weight.values"), report.parameters[0].values);
  save_quantized(report, folder / "all.json");
  std::ifstream in(folder / "all.json");
  const auto json = nlohmann::json::parse(in);
  EXPECT_EQ(json["l.0.weight"]["codes"], nlohmann::json({{-4}, {0}, {127}, {-128}}));
  EXPECT_EQ(json["l.0.weight"]["format"], "integer(8, 4)");
  EXPECT_THROW(save_quantized(report, folder / "all.txt"), Error);
  std::filesystem::remove_all(folder);
}

TEST(ReportQuantized, RunsFromOptions) {
  Diagnostics diagnostics;
  const Options options = check_options(kReportQuantized, {{"first", 1}}, {}, diagnostics);
  std::ostringstream out;
  Context context{.out = &out};
  const PassResult result = run_pass(kReportQuantized, quantised_example(), options, context);
  EXPECT_THAT(out.str(), HasSubstr("l.0.bias, 1 of 4:"));
  EXPECT_EQ(result.info.find("parameters")->as_list().size(), 2u);
}

}  // namespace
}  // namespace mase::passes
