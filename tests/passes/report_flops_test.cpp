#include "mase/passes/analysis/report_flops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "mase/numerics/format.h"
#include "tests/passes/networks.h"
#include "tests/passes/vectors.h"

namespace mase::passes {
namespace {

using numerics::integer;
using testing::HasSubstr;

const ir::Named<ops::TensorType> kBatchOf8{{"x", {.shape = {8, 16}}}};

// The layers of a report as its authors wrote them: 640.0 where a rule divides, 512 elsewhere.
void expect_report(const ir::Graph& graph, const nlohmann::ordered_json& expected) {
  nlohmann::ordered_json actual = ir::to_json(report_flops(graph, kBatchOf8).to_value());
  ASSERT_EQ(actual["layers"].size(), expected["layers"].size());
  for (std::size_t i = 0; i < expected["layers"].size(); ++i) {
    actual["layers"][i].erase("node");
    EXPECT_EQ(actual["layers"][i].dump(), expected["layers"][i].dump());
  }
  EXPECT_EQ(actual["flops"].dump(), expected["flops"].dump());
  EXPECT_EQ(actual["bitops"].dump(), expected["bitops"].dump());
}

TEST(ReportFlops, CountsOfTheReports) {
  std::ifstream in(std::filesystem::path(MASE_SOURCE_DIR) / "tests/golden/passes.json");
  const auto expected = nlohmann::ordered_json::parse(in)["flops"];
  expect_report(jsc_tiny(), expected["jsc-tiny"]);
  expect_report(jsc_toy(), expected["jsc-toy"]);
  expect_report(jsc_10x(), expected["jsc-10x"]);
}

// Quantised: computations x data width x weight width; relu has no weight.
TEST(ReportFlops, BitOperationsOfQuantisedLayers) {
  const ArgumentFormats formats{
      .data_in = integer(8, 4), .weight = integer(4, 2), .bias = integer(16, 8)};
  const ir::Graph graph =
      quantize(jsc_tiny(), {.rules = {{"linear", formats}, {"relu", integer(6, 3)}}});
  const FlopReport report = report_flops(graph, kBatchOf8);
  EXPECT_EQ(report.nodes[0].bitops, 512 * 32);
  EXPECT_EQ(report.nodes[1].bitops, 128 * 6);
  EXPECT_EQ(report.nodes[2].bitops, 640 * 8 * 4);
  EXPECT_EQ(report.total.bitops, 512 * 32 + 128 * 6 + 640 * 8 * 4 + 40 * 6);
  EXPECT_EQ(report.nodes[2].layer, "LinearInteger(in_features=16, out_features=5, bias=True)");
}

TEST(ReportFlops, Functions) {
  const ir::NodeRef x{"x"};
  const ir::Graph graph = NetworkBuilder("functions")
                              .function("operator.add", {x, x})
                              .function("torch.matmul", {ir::NodeRef{"add"}, x})
                              .done();
  const ir::Graph quantised = quantize(
      graph,
      {.rules = {{"add", integer(8, 4)},
                 {"matmul", ArgumentFormats{.data_in = integer(8, 4), .weight = integer(2, 1)}}}});
  const FlopReport report = report_flops(quantised, {{"x", {.shape = {4, 4}}}});
  EXPECT_EQ(report.nodes[0].layer, "add_integer");
  EXPECT_EQ(report.nodes[0].bitops, 16 * 8);
  EXPECT_EQ(report.nodes[1].bitops, 64 * 8 * 2);
}

// The calculators of the original, as it calls them with tuples; layers that it has no rule for
// print a message there, and called with bare tensors it looks at the first row only.
TEST(ReportFlops, CalculatorsOfTheOriginal) {
  MASE_NEEDS_SHARED_DATA(kVectors);
  int count = 0;
  const nlohmann::ordered_json vectors = read_vectors();
  for (const auto& one : vectors["flop_calculators"]) {
    const std::string layer = one.value("layer", "");
    const bool ours =
        layer.starts_with("Linear") || layer.starts_with("ReLU") || layer.starts_with("Dropout(");
    if (!ours || one["called_with"] != "in_data=(x,), out_data=(y,)") continue;
    ++count;
    const ir::Graph graph = chain("one", "l", {layer});
    nlohmann::ordered_json row = ir::to_json(
        report_flops(graph, {{"x", {.shape = one["input_shape"].get<ir::Shape>()}}}).to_value());
    nlohmann::ordered_json& actual = row["layers"][0];
    for (const char* key : {"node", "layer", "bitops"}) actual.erase(key);
    EXPECT_EQ(actual.dump(), one["result"].dump()) << layer;
  }
  EXPECT_EQ(count, 6);
}

// As the reports print them: whole where the rule counts, 640.0 where it divides.
TEST(ReportFlops, Table) {
  const std::string text = fmt::format("{}", report_flops(jsc_tiny(), kBatchOf8));
  EXPECT_THAT(text, HasSubstr("| node         | layer "));
  EXPECT_THAT(text, HasSubstr("|            512 |"));
  EXPECT_THAT(text, HasSubstr("|          640.0 |                  1280.0 |"));
  EXPECT_THAT(text, HasSubstr("| total        | "));
  EXPECT_THAT(text, HasSubstr("|         1320.0 |"));
  EXPECT_THAT(text, HasSubstr("|  42240.0 |"));
}

// The report of a network with biases, by either convention.
TEST(ReportFlops, ExactConvention) {
  const ir::Graph graph = chain("net", "l", {"Linear(16, 8)", "ReLU()", "Linear(8, 5)"});
  const ir::Named<ops::TensorType> row{{"x", {.shape = {1, 16}}}};
  EXPECT_EQ(report_flops(graph, row).total.cost.total_parameters, 168);
  const FlopReport exact = report_flops(graph, row, FlopConvention::Exact);
  EXPECT_EQ(exact.total.cost.total_parameters, 181);
  EXPECT_EQ(exact.total.cost.total_parameters, static_cast<double>(graph.parameter_count()));
  EXPECT_EQ(exact.total.cost.computations, 16 * 8 + 8 + 8 + 8 * 5 + 5);
}

TEST(ReportFlops, NeedsShapes) {
  EXPECT_THROW(report_flops(jsc_tiny()), Error);
  EXPECT_THROW(report_flops(jsc_tiny(), {{"x", {.shape = {8, 15}}}}), Error);
}

}  // namespace
}  // namespace mase::passes
