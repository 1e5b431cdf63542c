#include "mase/passes/transform/metadata_value_type_cast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/passes/networks.h"

namespace mase::passes {
namespace {

ir::Graph annotated() {
  ir::Graph graph = jsc_tiny();
  ir::Metadata& meta = graph.node("seq_blocks_2").meta;
  const std::vector<float> values = {0.5f, -1.0f};
  const ir::Tensor tensor = ir::Tensor::from<float>({1, 2}, values);
  meta.common = ir::CommonMeta{.mase_type = "module_related_func", .mase_op = "linear"};
  meta.common->args = {{"data_in_0", {.shape = {1, 2}, .value = tensor}},
                       {"weight", {.kind = ir::ArgumentMeta::Kind::Parameter, .shape = {1, 2}}},
                       {"dim", {.kind = ir::ArgumentMeta::Kind::Constant, .constant = 1}}};
  meta.software = ir::SoftwareMeta{.has_args = true};
  meta.software->args = {
      {"data_in_0", {.stat = ir::Dict{{"record", ir::Dict{{"data", tensor}, {"count", 1}}}}}}};
  return graph;
}

std::string text(const ir::Graph& graph) {
  const ir::Metadata& meta = graph.node("seq_blocks_2").meta;
  return ir::repr(meta.common->args[0].second.value) + " " +
         ir::repr(meta.common->args[1].second.value) + " " +
         ir::repr(meta.common->args[2].second.constant) + " " +
         ir::repr(meta.software->args[0].second.stat);
}

TEST(MetadataValueTypeCast, ToLists) {
  for (const char* name : {"to_list", "to_numpy"}) {
    EXPECT_EQ(text(metadata_value_type_cast(annotated(), cast_function(name))),
              "[[0.5, -1.0]] None 1 {'record': {'data': [[0.5, -1.0]], 'count': 1}}");
  }
}

TEST(MetadataValueTypeCast, DropsAndConverts) {
  EXPECT_EQ(text(metadata_value_type_cast(annotated(), cast_function("drop"))),
            "None None 1 {'record': {'data': None, 'count': 1}}");
  const ir::Graph wide = metadata_value_type_cast(annotated(), cast_function("float64"));
  const ir::CommonMeta& common = *wide.node("seq_blocks_2").meta.common;
  EXPECT_EQ(common.args[0].second.value.get<ir::Tensor>()->dtype(), ir::DType::Float64);
}

TEST(MetadataValueTypeCast, AnyFunction) {
  const CastFunction double_integers = [](const ir::Value& value) {
    const auto* number = value.get<std::int64_t>();
    return number ? ir::Value(2 * *number) : value;
  };
  const ir::Graph out = metadata_value_type_cast(annotated(), double_integers);
  EXPECT_THAT(text(out), testing::HasSubstr("None 2 {'record': {'data': "));
  EXPECT_THAT(text(out), testing::HasSubstr("'count': 2}}"));
}

TEST(MetadataValueTypeCast, NamesTheFunctionsThereAre) {
  try {
    cast_function("to_lsit");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "no function 'to_lsit' for values of the metadata (did you mean 'to_list'?)");
  }
  Diagnostics diagnostics;
  const Options options = check_options(kMetadataValueTypeCast, {{"fn", "drop"}}, {}, diagnostics);
  Context context;
  EXPECT_EQ(text(run_pass(kMetadataValueTypeCast, annotated(), options, context).graph),
            "None None 1 {'record': {'data': None, 'count': 1}}");
}

}  // namespace
}  // namespace mase::passes
