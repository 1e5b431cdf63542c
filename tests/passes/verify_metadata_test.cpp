#include "mase/passes/analysis/verify_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mase/passes/analysis/add_common_metadata.h"
#include "tests/passes/networks.h"

namespace mase::passes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ir::Graph verified(ir::Graph graph, ir::Shape shape = {8, 16}) {
  return add_metadata(std::move(graph), {{"x", ir::Tensor(std::move(shape), ir::DType::Float32)}},
                      {.add_value = false});
}

std::vector<std::string> texts(const std::vector<Problem>& problems) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) out.push_back(problem.text());
  return out;
}

ir::ArgumentMeta& entry(ir::Graph& graph, const char* node, const char* argument) {
  return *ir::find(graph.node(node).meta.common->args, argument);
}

ir::ArgumentMeta& result(ir::Graph& graph, const char* node) {
  return graph.node(node).meta.common->results[0].second;
}

TEST(VerifyMetadata, HoldsForEveryNetworkOfTheTests) {
  for (const ir::Graph& graph : {jsc_tiny(), jsc_toy(), jsc_s(), jsc_10x()}) {
    const ir::Graph complete = verified(graph);
    EXPECT_THAT(texts(verify_common_metadata(complete)), IsEmpty()) << graph.name;
    EXPECT_THAT(texts(verify_software_metadata(complete)), IsEmpty()) << graph.name;
  }
  for (const ir::Graph& graph : {toy(), toy_tiny()}) {
    const ir::Graph complete = verified(graph, {8, 4});
    EXPECT_THAT(texts(verify_common_metadata(complete)), IsEmpty()) << graph.name;
    EXPECT_THAT(texts(verify_software_metadata(complete)), IsEmpty()) << graph.name;
  }
}

TEST(VerifyMetadata, HoldsAfterQuantising) {
  const ir::Graph graph = quantize(
      verified(jsc_toy()), {.by = By::Type, .rules = {{"linear", numerics::integer(8, 4)}}});
  EXPECT_THAT(texts(verify_common_metadata(graph)), IsEmpty());
}

TEST(VerifyMetadata, AShapeThatItsProducerDoesNotGive) {
  ir::Graph graph = verified(jsc_tiny());
  entry(graph, "seq_blocks_1", "data_in_0").shape = {8, 17};
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              ElementsAre("node seq_blocks_1: data_in_0 is recorded as float32 [8, 17], "
                          "its producer gives float32 [8, 16]"));
}

TEST(VerifyMetadata, AResultThatTheOpDoesNotGive) {
  ir::Graph graph = verified(jsc_tiny());
  result(graph, "seq_blocks_3").shape = {8, 6};
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              ElementsAre(HasSubstr("node seq_blocks_3: relu of these inputs gives float32 [8, 5], "
                                    "recorded is float32 [8, 6]")));
}

TEST(VerifyMetadata, ParametersAndTheirColumns) {
  ir::Graph graph = verified(jsc_tiny());
  entry(graph, "seq_blocks_2", "weight").shape = {16, 5};
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              ElementsAre("node seq_blocks_2: weight is recorded as [16, 5], "
                          "the parameter is [5, 16]"));
}

TEST(VerifyMetadata, FormatsThatDoNotExistOrDoNotFit) {
  ir::Graph graph = verified(jsc_tiny());
  ir::ArgumentMeta& data = entry(graph, "seq_blocks_2", "data_in_0");
  data.precision = {24};
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              ElementsAre(HasSubstr("data_in_0 is float with precision [24]")));
  data.type = "intger";
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              ElementsAre(HasSubstr("unknown type 'intger'"),
                          HasSubstr("recorded as intger, but the node computes it as float")));
  graph.node("seq_blocks_2").precision = {{"data_in_0", numerics::integer(8, 4)}};
  data.type = "integer";
  data.precision = {8, 9};
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              ElementsAre(HasSubstr("width 8 and fraction 9, must be 0 <= fraction <= width")));
  data.precision = {8};
  EXPECT_THAT(texts(verify_common_metadata(graph)), ElementsAre(HasSubstr("needs 2 numbers")));
}

// 16 products of 8 by 8 bits: 16 + 4 bits for the sum, one more for the bias; 4 + 4 of fraction.
TEST(VerifyMetadata, TheIntegerResultOfALinearLayerMustHoldItsSums) {
  ir::Graph graph = quantize(verified(jsc_tiny()),
                             {.by = By::Type, .rules = {{"linear", numerics::integer(8, 4)}}});
  ir::ArgumentMeta& out = result(graph, "seq_blocks_2");
  out.type = "integer";
  out.precision = {21, 8};
  EXPECT_THAT(texts(verify_common_metadata(graph)), IsEmpty());
  out.precision = {20, 8};
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              ElementsAre("node seq_blocks_2: data_out_0 has precision [20, 8], "
                          "these inputs need [21, 8]"));
}

TEST(VerifyMetadata, AnIntegerResultElsewhereHasTheFormatOfTheInput) {
  ir::Graph graph = quantize(verified(jsc_tiny()),
                             {.by = By::Type, .rules = {{"relu", numerics::integer(8, 4)}}});
  ir::ArgumentMeta& out = result(graph, "seq_blocks_1");
  out.type = "integer";
  out.precision = {8, 3};
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              ElementsAre("node seq_blocks_1: data_out_0 is integer [8, 3], "
                          "data_in_0 is integer [8, 4]"));
}

TEST(VerifyMetadata, TypesAndOpsAreThoseOfTheGraph) {
  ir::Graph graph = verified(jsc_tiny());
  graph.node("seq_blocks_1").meta.common->mase_op = "gelu";
  graph.node("seq_blocks_3").meta.common.reset();
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              testing::Contains("node seq_blocks_1: op is relu, recorded is gelu"));
  EXPECT_THAT(texts(verify_common_metadata(graph)),
              testing::Contains("node seq_blocks_3: has no common metadata"));
}

TEST(VerifyMetadata, TablesAndStatisticsOfTheSoftwareMetadata) {
  ir::Graph graph = verified(jsc_tiny());
  auto& args = graph.node("seq_blocks_2").meta.software->args;
  std::erase_if(args, [](const auto& item) { return item.first == "bias"; });
  args.emplace_back("wieght", ir::SoftwareEntry{});
  ir::find(args, "weight")->stat = ir::Dict{
      {"range_min_max", ir::Dict{{"min", 1.0}, {"max", 3.0}, {"range", 1.0}, {"count", 0}}},
      {"median", ir::Dict{}}};
  EXPECT_THAT(texts(verify_software_metadata(graph)),
              ElementsAre("node seq_blocks_2: software.args has no table for bias",
                          "node seq_blocks_2: range_min_max of weight counted nothing",
                          HasSubstr("has range 1.0, maximum minus minimum is 2.0"),
                          "node seq_blocks_2: weight has the unknown statistic 'median'",
                          "node seq_blocks_2: software.args has a table for wieght"));
}

TEST(VerifyMetadata, AsPassesTheyFailWithTheWholeList) {
  ir::Graph graph = verified(jsc_tiny());
  Context context;
  EXPECT_EQ(run_pass(kVerifyMetadata, graph, Options(), context).info.find("nodes")->as_int(), 6);
  entry(graph, "seq_blocks_1", "data_in_0").shape = {1};
  graph.node("x").meta.software->results.clear();
  try {
    run_pass(kVerifyMetadata, graph, Options(), context);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::CheckFailed);
    EXPECT_THAT(error.message(), HasSubstr("2 problems"));
  }
  EXPECT_THROW(run_pass(kVerifyCommonMetadata, graph, Options(), context), Error);
  EXPECT_THROW(run_pass(kVerifySoftwareMetadata, graph, Options(), context), Error);
}

}  // namespace
}  // namespace mase::passes
