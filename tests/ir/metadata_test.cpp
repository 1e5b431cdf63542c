#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mase/ir/metadata.h"
#include "mase/support/error.h"

namespace mase::ir {
namespace {

using testing::HasSubstr;

Tensor floats(Shape shape, std::vector<float> values) {
  return Tensor::from<float>(std::move(shape), values);
}

Metadata example_metadata() {
  Metadata meta;
  meta.common = CommonMeta{.mase_type = "module_related_func", .mase_op = "linear"};
  meta.common->args = {
      {"data_in_0",
       {.shape = {1, 2},
        .type = "integer",
        .precision = {8, 4},
        .value = floats({1, 2}, {0.5f, -1.25f})}},
      {"weight",
       {.kind = ArgumentMeta::Kind::Parameter, .shape = {2}, .value = floats({2}, {1, 2})}},
      {"start_dim", {.kind = ArgumentMeta::Kind::Constant, .constant = 1}}};
  meta.common->results = {
      {"data_out_0",
       {.kind = ArgumentMeta::Kind::Other, .shape = {1}, .type = "int", .value = Value(8)}}};
  meta.software = SoftwareMeta{.has_args = true, .has_results = true};
  meta.software->args = {{"data_in_0", {.stat = Dict{{"range", Dict{{"max", 1.5}}}}}},
                         {"weight", {.stat = Dict{}, .extra = {{"sparsity", 0.5}}}}};
  meta.hardware = {{"is_implicit", true}};
  return meta;
}

std::string error_of(const Value& value) {
  try {
    metadata_from_value(value);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    return error.what();
  }
  return "";
}

TEST(Metadata, ReadsWhatItWrites) {
  const Value value = example_metadata().to_value();
  EXPECT_EQ(metadata_from_value(value).to_value(), value);
  const Value empty = Metadata{.common = CommonMeta{}, .software = SoftwareMeta{}}.to_value();
  EXPECT_EQ(metadata_from_value(empty).to_value(), empty);
}

// Files know neither element types nor tensors, and some quote the numbers of arrays.
TEST(Metadata, RecoversTensorsFromTexts) {
  const Value value =
      Dict{{"common",
            Dict{{"mase_type", "output"},
                 {"mase_op", "output"},
                 {"args", Dict{{"data_in_0", Dict{{"shape", List{2, 1}},
                                                  {"torch_dtype", "torch.float32"},
                                                  {"type", "float"},
                                                  {"precision", List{32}},
                                                  {"value", List{List{"-1.0472798"}, List{2}}}}}}},
                 {"results", Dict{}}}}};
  const Metadata meta = metadata_from_value(value);
  const ArgumentMeta& entry = meta.common->args[0].second;
  EXPECT_EQ(entry.dtype, DType::Float32);
  EXPECT_EQ(entry.value, Value(floats({2, 1}, {-1.0472798f, 2.0f})));
}

TEST(Metadata, NamesWhatIsWrong) {
  EXPECT_THAT(error_of(Dict{{"comon", Dict{}}}),
              HasSubstr("unknown key 'comon' (did you mean 'common'?)"));
  EXPECT_THAT(error_of(Dict{{"common", 1}}),
              HasSubstr("metadata common: a dictionary is expected, not 1"));
  EXPECT_THAT(error_of(Dict{{"common", Dict{{"mase_op", "x"}}}}),
              HasSubstr("metadata common: 'mase_type' is missing"));
  const auto argument = [](Dict entry) {
    return Dict{
        {"common",
         Dict{{"mase_type", "a"}, {"mase_op", "b"}, {"args", Dict{{"weight", std::move(entry)}}}}}};
  };
  EXPECT_THAT(error_of(argument({{"type", "float"}, {"shape", List{-1}}})),
              HasSubstr("metadata common.args.weight: 'shape' must hold whole numbers"));
  EXPECT_THAT(
      error_of(argument(
          {{"type", "float"}, {"shape", List{1}}, {"torch_dtype", "f"}, {"precision", List{32}}})),
      HasSubstr("unknown element type 'f'"));
}

}  // namespace
}  // namespace mase::ir
