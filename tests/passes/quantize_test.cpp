#include "mase/passes/transform/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mase/numerics/format.h"
#include "mase/passes/transform/quantize_config.h"
#include "tests/passes/networks.h"

namespace mase::passes {
namespace {

using numerics::integer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string error_of(const ir::Graph& graph, const QuantizeOptions& options) {
  try {
    quantize(graph, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    return error.what();
  }
  return "";
}

ir::Graph operands() {
  const ir::NodeRef x{"x"};
  return NetworkBuilder("operands")
      .layer("a", "Linear(4, 4)")
      .function("operator.add", {x, ir::NodeRef{"a"}})
      .function("operator.mul", {x, 2})
      .function("torch.matmul", {ir::NodeRef{"add"}, ir::NodeRef{"mul"}})
      .function("torch.nn.functional.relu", {ir::NodeRef{"matmul"}})
      .done();
}

TEST(Quantize, ByTypePutsFormatsOnArguments) {
  const ir::Graph graph = jsc_tiny();
  std::vector<RuleHits> hits;
  const ir::Graph out =
      quantize(graph, {.by = By::Type, .rules = {{"linear", integer(8, 4)}}}, &hits);
  const ir::Node& linear = out.node("seq_blocks_2");
  ASSERT_EQ(linear.precision.size(), 3u);
  for (const char* argument : {"data_in_0", "weight", "bias"}) {
    EXPECT_EQ(*linear.precision_of(argument), integer(8, 4)) << argument;
  }
  EXPECT_EQ(ops::type_text(linear), "LinearInteger");
  EXPECT_THAT(hits[0].nodes, ElementsAre("seq_blocks_2"));
  for (const char* other : {"seq_blocks_0", "seq_blocks_1", "seq_blocks_3"}) {
    EXPECT_FALSE(out.node(other).is_quantised()) << other;
  }
  // A value: the graph that went in is as it was, and parameters stay float.
  EXPECT_FALSE(graph.node("seq_blocks_2").is_quantised());
  EXPECT_EQ(out.state(), graph.state());
}

TEST(Quantize, FormatsMayDifferByArgument) {
  const ArgumentFormats formats{
      .data_in = integer(16, 4), .weight = integer(16, 8), .bias = integer(8, 4)};
  const ir::Graph out = quantize(jsc_tiny(), {.rules = {{"linear", formats}}});
  const ir::Node& linear = out.node("seq_blocks_2");
  EXPECT_EQ(*linear.precision_of("data_in_0"), integer(16, 4));
  EXPECT_EQ(*linear.precision_of("weight"), integer(16, 8));
  EXPECT_EQ(*linear.precision_of("bias"), integer(8, 4));
  EXPECT_EQ(ir::repr(ir::Value(quantise_config_of(linear))),
            "{'name': 'integer', 'data_in_width': 16, 'data_in_frac_width': 4, 'weight_width': 16, "
            "'weight_frac_width': 8, 'bias_width': 8, 'bias_frac_width': 4}");
}

TEST(Quantize, AnOptionalGroupMayBeLeftOut) {
  const ArgumentFormats formats{.data_in = integer(8, 4), .weight = integer(8, 4)};
  const ir::Graph out = quantize(jsc_tiny(), {.rules = {{"linear", formats}}});
  EXPECT_EQ(out.node("seq_blocks_2").precision.size(), 2u);
  const ir::Graph bare = chain("bare", "l", {"Linear(4, 2, bias=False)"});
  const ir::Graph quantised = quantize(bare, {.rules = {{"linear", integer(8, 4)}}});
  EXPECT_EQ(quantised.node("l_0").precision.size(), 2u);
}

TEST(Quantize, MissingGroupsAreListedTogether) {
  EXPECT_EQ(error_of(jsc_tiny(), {.rules = {{"linear", integer_config(8, 4, {"bias"})}}}),
            "missing for op 'linear': data_in_width, weight_width (node seq_blocks_2 needs them)");
}

// Both layer and function quantise what they read without a sign; the metadata's list is the same.
TEST(Quantize, ReluReadsUnsigned) {
  const ir::Graph out = quantize(jsc_tiny(), {.rules = {{"relu", integer(8, 4)}}});
  EXPECT_EQ(*out.node("seq_blocks_1").precision_of("data_in_0"), integer(8, 4, false));
  const ir::Graph function = quantize(operands(), {.rules = {{"relu", integer(8, 4)}}});
  EXPECT_EQ(*function.node("relu").precision_of("data_in_0"), integer(8, 4, false));
  ir::Dict config = integer_config(8, 4, {"data_in"});
  config.emplace_back("data_in_is_signed", true);
  const ir::Graph as_asked = quantize(jsc_tiny(), {.rules = {{"relu", config}}});
  EXPECT_EQ(*as_asked.node("seq_blocks_1").precision_of("data_in_0"), integer(8, 4));
}

TEST(Quantize, FunctionsHaveTwoOperands) {
  const ir::Graph out = quantize(
      operands(),
      {.rules = {{"add", integer(8, 4)},
                 {"mul", integer(6, 2)},
                 {"matmul", ArgumentFormats{.data_in = integer(8, 4), .weight = integer(4, 2)}}}});
  EXPECT_EQ(out.node("add").precision.size(), 2u);
  EXPECT_EQ(*out.node("add").precision_of("data_in_1"), integer(8, 4));
  // x * 2: the number is no tensor.
  EXPECT_EQ(out.node("mul").precision.size(), 1u);
  EXPECT_EQ(*out.node("matmul").precision_of("data_in_0"), integer(8, 4));
  EXPECT_EQ(*out.node("matmul").precision_of("data_in_1"), integer(4, 2));
  EXPECT_EQ(ops::type_text(out.node("add")), "add_integer");
  EXPECT_THAT(error_of(operands(), {.rules = {{"matmul", integer_config(8, 4, {"data_in"})}}}),
              HasSubstr("missing for op 'matmul': weight_width"));
}

TEST(Quantize, ByNameAndByPattern) {
  const ir::Graph graph = jsc_toy();
  const ir::Graph by_name = quantize(
      graph, {.by = By::Name,
              .rules = {{"seq_blocks_2", integer(8, 4)}, {"seq_blocks_5", integer(4, 2)}}});
  EXPECT_EQ(*by_name.node("seq_blocks_2").precision_of("weight"), integer(8, 4));
  EXPECT_EQ(*by_name.node("seq_blocks_5").precision_of("weight"), integer(4, 2));
  EXPECT_FALSE(by_name.node("seq_blocks_8").is_quantised());

  std::vector<RuleHits> hits;
  quantize(graph,
           {.by = By::RegexName,
            .rules = {{"default", integer_config(8, 4)},
                      {"seq_blocks_[25]", integer(6, 3)},
                      {"seq_.*_(2|8)", integer(4, 2)}}},
           &hits);
  EXPECT_THAT(hits[0].nodes,
              ElementsAre("seq_blocks_1", "seq_blocks_4", "seq_blocks_7", "seq_blocks_10"));
  EXPECT_THAT(hits[1].nodes, ElementsAre("seq_blocks_2", "seq_blocks_5"));
  EXPECT_THAT(hits[2].nodes, ElementsAre("seq_blocks_8"));
}

TEST(Quantize, NoneAndBypassLeaveAlone) {
  ir::Dict bypass = integer_config(8, 4);
  bypass.emplace_back("bypass", true);
  const ir::Graph out = quantize(
      jsc_tiny(), {.rules = {{"default", ir::Dict{{"name", ir::None{}}}}, {"linear", bypass}}});
  for (const ir::Node& node : out) EXPECT_FALSE(node.is_quantised()) << node.name;
  EXPECT_EQ(quantise_config_of(out.node("seq_blocks_2")), bypass);
  EXPECT_EQ(ir::repr(ir::Value(quantise_config_of(out.node("seq_blocks_1")))), "{'name': None}");
  EXPECT_THAT(quantise_config_of(out.node("seq_blocks_0")), IsEmpty());
}

TEST(Quantize, MethodsAreLeftAloneByTypeAndRefusedByName) {
  const QuantizeOptions by_name{.by = By::Name, .rules = {{"size", integer(8, 4)}}};
  EXPECT_THAT(error_of(toy(), by_name), HasSubstr("'size' selects no node: size cannot"));
}

TEST(Quantize, ARuleWithoutNodesIsAnError) {
  EXPECT_EQ(error_of(jsc_tiny(), {.rules = {{"linaer", integer(8, 4)}}}),
            "no node has the op 'linaer' (did you mean 'linear'?)");
  EXPECT_THAT(error_of(jsc_tiny(), {.rules = {{"batch_norm1d", integer(8, 4)}}}),
              HasSubstr("seq_blocks_0 cannot be quantised, only nodes of add"));
  EXPECT_THAT(error_of(jsc_tiny(), {.by = By::Name, .rules = {{"seq_blocks_9", integer(8, 4)}}}),
              HasSubstr("no node has the name 'seq_blocks_9' (did you mean 'seq_blocks_"));
  EXPECT_EQ(error_of(jsc_tiny(), {.rules = {{"add", integer(8, 4), true}}}), "");
}

TEST(Quantize, QuantisingTwiceIsAnError) {
  const QuantizeOptions options{.rules = {{"linear", integer(8, 4)}}};
  const ir::Graph once = quantize(jsc_tiny(), options);
  EXPECT_EQ(error_of(once, options),
            "node seq_blocks_2 is quantised already: its data_in_0 is integer(8, 4) (quantise the "
            "float graph (--drop-quantisation loads it from the same file), or give this node a "
            "rule with name \"NA\")");
  // Another kind of node may follow, and what is left alone stays as it is.
  const ir::Graph twice = quantize(
      once, {.rules = {{"linear", ir::Dict{{"name", ir::None{}}}}, {"relu", integer(8, 4)}}});
  EXPECT_TRUE(twice.node("seq_blocks_2").is_quantised());
  EXPECT_TRUE(twice.node("seq_blocks_1").is_quantised());
}

TEST(Quantize, AllProblemsOfAConfigurationAtOnce) {
  const ir::Dict config{{"name", "integer"},  {"data_in_width", 8},       {"data_in_frac_widht", 4},
                        {"weight_width", 33}, {"weight_frac_width", "x"}, {"rounding", "nearest"},
                        {"bypass", 1},        {"data_out_width", 8},      {"bias_frac_width", 4}};
  const std::string text = error_of(jsc_tiny(), {.rules = {{"linear", config}}});
  EXPECT_THAT(text,
              HasSubstr("unknown key 'data_in_frac_widht'; did you mean 'data_in_frac_width'"));
  EXPECT_THAT(text, HasSubstr("weight_width must be a whole number from 1 to 32, not 33"));
  EXPECT_THAT(
      text,
      HasSubstr("weight_frac_width must be a whole number from -64 to 64, or \"NA\", not 'x'"));
  EXPECT_THAT(text, HasSubstr("rounding must be one of nearest_even, "));
  EXPECT_THAT(text, HasSubstr("bypass must be true or false"));
  EXPECT_THAT(text, HasSubstr("missing: bias_width"));
}

TEST(Quantize, UnknownFormatsAndNoName) {
  EXPECT_THAT(error_of(jsc_tiny(), {.rules = {{"linear", ir::Dict{{"name", "intger"}}}}}),
              HasSubstr("unknown number format 'intger' (did you mean 'integer'?)"));
  EXPECT_THAT(error_of(jsc_tiny(), {.rules = {{"linear", ir::Dict{{"data_in_width", 8}}}}}),
              HasSubstr("the key 'name' is missing"));
}

TEST(Quantize, RoundingOverflowAndDerivedFraction) {
  ir::Dict config = integer_config(8, 4);
  *ir::find(config, "bias_frac_width") = ir::None{};
  config.emplace_back("rounding", "down");
  config.emplace_back("overflow", "wrap");
  const ir::Graph out = quantize(jsc_tiny(), {.rules = {{"linear", config}}});
  const numerics::Precision& weight = *out.node("seq_blocks_2").precision_of("weight");
  EXPECT_EQ(weight.text("rounding"), "down");
  EXPECT_EQ(weight.text("overflow"), "wrap");
  EXPECT_TRUE(out.node("seq_blocks_2").precision_of("bias")->list()[1].is_none());
  // Left out, it is derived just so.
  std::erase_if(config, [](const auto& entry) { return entry.first == "bias_frac_width"; });
  const ir::Graph left_out = quantize(jsc_tiny(), {.rules = {{"linear", config}}});
  EXPECT_EQ(*left_out.node("seq_blocks_2").precision_of("bias"),
            *out.node("seq_blocks_2").precision_of("bias"));
  // The same through precisions, which write such a configuration themselves.
  numerics::Precision down = integer(8, 4);
  down.values["rounding"] = "down";
  const ir::Graph same = quantize(jsc_tiny(), {.rules = {{"linear", down}}});
  EXPECT_EQ(*same.node("seq_blocks_2").precision_of("weight"), down);
}

// From the table of a file: every problem has its place, before any graph is there.
TEST(Quantize, OptionsAreCheckedWithPlaces) {
  const ir::Dict table{
      {"by", "type"},
      {"linear", ir::Dict{{"config", integer_config(8, 4)}, {"optinal", true}}},
      {"rleu", ir::Dict{{"config", ir::Dict{{"name", "integer"}, {"dta_in_width", 8}}}}},
      {"add", ir::Dict{{"cfg", 1}}}};
  const ir::Named<Location> places{{"linear.optinal", {.file = "a.toml", .line = 4, .column = 1}},
                                   {"rleu", {.file = "a.toml", .line = 9, .column = 2}},
                                   {"rleu.config.dta_in_width", {.file = "a.toml", .line = 11}},
                                   {"add", {.file = "a.toml", .line = 12, .column = 2}}};
  Diagnostics diagnostics;
  check_options(kQuantize, table, {.file = "a.toml", .line = 1}, diagnostics, places);
  std::vector<std::string> problems;
  for (const Problem& problem : diagnostics.problems()) problems.push_back(problem.text());
  EXPECT_THAT(problems,
              ElementsAre("a.toml:4:1: unknown key 'optinal' in rule 'linear'; "
                          "did you mean 'optional'?",
                          HasSubstr("a.toml:11: unknown key 'dta_in_width'; did you mean "
                                    "'data_in_width'"),
                          "a.toml:9:2: by type: there is no op 'rleu'; did you mean 'relu'?",
                          HasSubstr("a.toml:12:2: rule 'add' needs a table 'config'")));
}

TEST(Quantize, RunsFromOptions) {
  const ir::Dict table{{"by", "type"},
                       {"default", ir::Dict{{"config", ir::Dict{{"name", ir::None{}}}}}},
                       {"linear", ir::Dict{{"config", integer_config(8, 4)}}},
                       {"relu", ir::Dict{{"config", integer_config(8, 4)}}}};
  Diagnostics diagnostics;
  const Options options = check_options(kQuantize, table, {}, diagnostics);
  ASSERT_TRUE(diagnostics.empty());
  std::vector<std::string> log;
  std::vector<std::string> warnings;
  Context context{.info = [&](std::string_view text) { log.emplace_back(text); },
                  .warn = [&](std::string_view text) { warnings.emplace_back(text); }};
  const PassResult result = run_pass(kQuantize, jsc_tiny(), options, context);
  EXPECT_TRUE(result.graph.node("seq_blocks_2").is_quantised());
  EXPECT_EQ(result.hits.size(), 2u);  // nothing is left for "default"
  EXPECT_THAT(log, testing::Contains("Quantized graph histogram:"));
  EXPECT_THAT(log, testing::Contains(HasSubstr("quantize: 'relu' selects 2 nodes")));
  EXPECT_THAT(warnings, ElementsAre("quantize: 'relu' has no bias, so its keys bias_* say nothing",
                                    "quantize: 'relu' has no weight, so its keys weight_* say "
                                    "nothing"));
  ASSERT_TRUE(context.original.has_value());
  EXPECT_FALSE(context.original->node("seq_blocks_2").is_quantised());
}

}  // namespace
}  // namespace mase::passes
