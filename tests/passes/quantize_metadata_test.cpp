// What quantising does to the metadata, and what later passes read from it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "mase/numerics/format.h"
#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/passes/analysis/calculate_avg_bits.h"
#include "mase/passes/analysis/report_flops.h"
#include "tests/passes/networks.h"
#include "tests/passes/vectors.h"

namespace mase::passes {
namespace {

using numerics::integer;
using testing::HasSubstr;

// Shapes only: no engine is needed.
ir::Graph annotated(ir::Graph graph, ir::Shape input) {
  return add_metadata(std::move(graph), {{"x", ir::Tensor(std::move(input), ir::DType::Float32)}},
                      {.add_value = false});
}

nlohmann::json golden(const char* section) {
  return nlohmann::json::parse(
      read_text(std::filesystem::path(MASE_SOURCE_DIR) / "tests/golden/passes.json"))[section];
}

ir::Value args_of(const ir::Graph& graph, std::string_view node) {
  return *graph.node(node).meta.common->to_value().find("args");
}

TEST(QuantizeMetadata, PrecisionListsAreThoseConfigured) {
  const ir::Graph graph = annotated(jsc_toy(), {8, 16});
  const nlohmann::json cases = golden("precision_metadata")["cases"];
  ASSERT_EQ(cases.size(), 3u);
  for (const nlohmann::json& one : cases) {
    ir::Dict config{{"name", "integer"}};
    for (const auto& [group, pair] : one["config"].items()) {
      config.emplace_back(group + "_width", pair[0].get<int>());
      config.emplace_back(group + "_frac_width", pair[1].get<int>());
    }
    const ir::Graph out = quantize(graph, {.rules = {{"linear", config}}});
    for (const char* node : {"seq_blocks_2", "seq_blocks_5", "seq_blocks_8"}) {
      for (const char* argument : {"data_in_0", "weight", "bias"}) {
        const ir::ArgumentMeta& entry = *ir::find(out.node(node).meta.common->args, argument);
        EXPECT_EQ(entry.type, "integer");
        EXPECT_EQ(nlohmann::json(ir::to_json(ir::Value(entry.precision))), one[argument])
            << node << argument;
      }
    }
  }
}

// Only the type and precision of what was quantised change; results stay float.
TEST(QuantizeMetadata, NothingElseChanges) {
  const ir::Graph graph = annotated(jsc_tiny(), {8, 16});
  const ir::Graph out = quantize(graph, {.rules = {{"relu", integer(16, 8)}}});
  EXPECT_EQ(ir::repr(args_of(out, "seq_blocks_1")),
            "{'data_in_0': {'shape': [8, 16], 'torch_dtype': torch.float32, 'type': 'integer', "
            "'precision': [16, 8]}}");
  EXPECT_EQ(args_of(out, "seq_blocks_2"), args_of(graph, "seq_blocks_2"));
  for (const ir::Node& node : out) {
    const auto results = [](const ir::Node& n) {
      return *n.meta.common->to_value().find("results");
    };
    EXPECT_EQ(results(node), results(graph.node(node.name)));
  }
}

TEST(QuantizeMetadata, AliasesKeepTheirNameAndNoneIsNone) {
  ir::Dict config = integer_config(8, 4);
  *ir::find(config, "name") = "fixed";
  *ir::find(config, "bias_frac_width") = ir::None{};
  const ir::Graph before = annotated(jsc_tiny(), {8, 16});
  const ir::Graph out = quantize(before, {.rules = {{"linear", config}}});
  const auto text = [](const ir::Graph& graph) { return ir::repr(args_of(graph, "seq_blocks_2")); };
  EXPECT_THAT(text(out), HasSubstr("'bias': {'type': 'fixed', 'precision': [8, None]"));
  EXPECT_EQ(ops::type_text(out.node("seq_blocks_2")), "LinearInteger");
  // The same, whether the metadata or the formats come first.
  EXPECT_EQ(text(annotated(out, {8, 16})), text(out));
}

TEST(QuantizeMetadata, GraphMetadataFollows) {
  const ir::Graph graph = annotated(toy(), {8, 1, 2, 2});
  const ir::Graph out = quantize(graph, {.rules = {{"linear", integer(8, 4)}}});
  const ir::Value* args = ir::find(out.meta, "common")->find("args");
  EXPECT_EQ(ir::repr(*args->find("data_in_0")->find("precision")), "[8, 4]");
}

TEST(CalculateAvgBits, CountsWidths) {
  const ir::Graph graph = annotated(jsc_toy(), {8, 16});
  AverageBits bits = calculate_avg_bits(graph);
  EXPECT_EQ(*bits.data, 32);
  EXPECT_EQ(*bits.weight, 32);
  // Inputs of 16, 8 and 8 features; weights of 128, 64 and 40 elements.
  const ir::Graph mixed = quantize(
      graph, {.by = By::Name,
              .rules = {{"seq_blocks_2",
                         ArgumentFormats{.data_in = integer(8, 4), .weight = integer(4, 2)}},
                        {"seq_blocks_5", integer(6, 3)}}});
  bits = calculate_avg_bits(mixed);
  EXPECT_DOUBLE_EQ(*bits.data, (16 * 8 + 8 * 6 + 8 * 32) / 32.0);
  EXPECT_DOUBLE_EQ(*bits.weight, (128 * 4 + 64 * 6 + 40 * 32) / 232.0);
}

// The original divides by zero where no layer has weights.
TEST(CalculateAvgBits, WithoutLayersThereIsNoAverage) {
  const ir::Graph graph = annotated(chain("bare", "l", {"ReLU()"}), {4});
  EXPECT_EQ(ir::repr(calculate_avg_bits(graph).to_value()),
            "{'data_avg_bit': None, 'w_avg_bit': None}");
  std::string warning;
  Context context{.warn = [&](std::string_view text) { warning = text; }};
  run_pass(kCalculateAvgBits, graph, {}, context);
  EXPECT_THAT(warning, HasSubstr("no layer with weights"));
}

TEST(CalculateAvgBits, RunsAndNeedsShapes) {
  std::ostringstream out;
  Context context{.out = &out};
  run_pass(kCalculateAvgBits, annotated(jsc_tiny(), {8, 16}), {}, context);
  EXPECT_EQ(out.str(),
            "| Tensor    |   Average bits |\n|-----------+----------------|\n"
            "| data_in_0 |             32 |\n| weight    |             32 |\n");
  EXPECT_THROW(calculate_avg_bits(jsc_tiny()), Error);
}

TEST(ReportFlopsPass, ReadsShapesFromTheMetadata) {
  Diagnostics diagnostics;
  const Options options = check_options(kReportFlops, {{"batch_size", 4}}, {}, diagnostics);
  Context context;
  const ir::Graph graph = annotated(jsc_tiny(), {8, 16});
  EXPECT_EQ(run_pass(kReportFlops, graph, {}, context).info.find("flops")->as_number(), 1320);
  EXPECT_EQ(run_pass(kReportFlops, graph, options, context).info.find("flops")->as_number(), 660);
  check_options(kReportFlops, {{"batch_size", 0}}, {}, diagnostics);
  EXPECT_FALSE(diagnostics.empty());
}

}  // namespace
}  // namespace mase::passes
