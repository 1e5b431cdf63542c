#include "mase/io/arrays/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/io/bounds.h"
#include "tests/io/damage.h"

namespace mase::io {
namespace {

using ir::DType;
using ir::Tensor;
using testing::HasSubstr;

std::string file_with(std::string_view header, std::string_view data = "") {
  std::string out;
  put<std::uint64_t>(out, header.size());
  out += header;
  out += data;
  return out;
}

std::string error_of(std::string_view file) {
  const auto got = parse_safetensors(bytes_of(file), "test.safetensors");
  return got.ok() ? "(no error)" : got.error().message;
}

SafeTensors sample() {
  return {.tensors = {{"flag", Tensor::from<bool>({3}, std::array{true, false, true})},
                      {"seq.weight", Tensor::from<float>({2, 2}, std::array{1.f, -0.f, 3.f, 4.f})},
                      {"empty", Tensor({0, 4}, DType::Float64)},
                      {"count", Tensor::from<std::int64_t>({}, std::array{std::int64_t{-7}})}},
          .metadata = {{"format", "mase"}, {"name", "jsc-\xc3\xa9"}}};
}

TEST(SafeTensors, RoundTripKeepsOrderTypesAndMetadata) {
  const auto path = std::filesystem::path(testing::TempDir()) / "mase_test.safetensors";
  const SafeTensors before = sample();
  write_safetensors(path, before);
  const auto after = read_safetensors(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(after.ok()) << after.error().message;
  EXPECT_EQ(after->tensors, before.tensors);
  EXPECT_EQ(after->metadata, before.metadata);
}

TEST(SafeTensors, EveryType) {
  SafeTensors all;
  for (const DType type :
       {DType::Bool, DType::UInt8, DType::Int8, DType::Int16, DType::Int32, DType::Int64,
        DType::Float16, DType::BFloat16, DType::Float32, DType::Float64}) {
    all.tensors.emplace_back(std::string(ir::name(type)),
                             Tensor::from<float>({3}, std::array{0.f, 1.f, 2.f}).to(type));
  }
  const std::string file = safetensors_bytes(all);
  const auto back = parse_safetensors(bytes_of(file), "x");
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->tensors, all.tensors);
}

TEST(SafeTensors, SaysWhatIsWrong) {
  const auto tensor = [](std::string_view dtype, std::string_view shape, std::string_view place) {
    return error_of(
        file_with(fmt::format(R"({{"t":{{"dtype":"{}","shape":{},"data_offsets":{}}}}})", dtype,
                              shape, place),
                  "12345678"));
  };
  EXPECT_EQ(tensor("F32", "[2]", "[0,8]"), "(no error)");
  EXPECT_THAT(tensor("F8_E4M3", "[8]", "[0,8]"), HasSubstr("unsupported dtype F8_E4M3"));
  EXPECT_THAT(tensor("F32", "[3]", "[0,8]"), HasSubstr("do not fit its shape [3]"));
  EXPECT_THAT(tensor("F32", "[4611686018427387904,4]", "[0,8]"), HasSubstr("do not fit"));
  EXPECT_THAT(tensor("F32", "[-1]", "[0,8]"), HasSubstr("unreadable shape"));
  EXPECT_THAT(tensor("F32", "[2.0]", "[0,8]"), HasSubstr("unreadable shape"));
  EXPECT_THAT(tensor("F32", "[2]", "[8,0]"), HasSubstr("outside"));
  EXPECT_THAT(tensor("F32", "[2]", "[8,16]"), HasSubstr("outside"));
  EXPECT_THAT(tensor("F32", "[1]", "[0,4]"), HasSubstr("unused"));
  EXPECT_THAT(error_of(file_with(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},)"
                                 R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                                 "12345678")),
              HasSubstr("overlap"));
  EXPECT_THAT(error_of(file_with("[]")), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of(file_with(R"({"t":7})")), HasSubstr("lacks dtype"));
  EXPECT_THAT(error_of(file_with(R"({"__metadata__":{"a":1}})")), HasSubstr("more than texts"));
  EXPECT_THAT(error_of("1234"), HasSubstr("shorter"));
  EXPECT_THAT(error_of(std::string(16, '\xff')), HasSubstr("100 MB"));
}

TEST(SafeTensors, ManyNamesTakeTimeInProportion) {
  SafeTensors many;
  for (int i = 0; i < 100'000; ++i) {
    many.tensors.emplace_back(fmt::format("n{}", i), Tensor({0}, DType::Float32));
    many.metadata.emplace_back(fmt::format("k{}", i), "");
  }
  EXPECT_TRUE(tests::runs_within(std::size_t{1} << 30, [&] {
    const auto back = parse_safetensors(bytes_of(safetensors_bytes(many)), "x");
    return back.ok() && back->tensors.size() == 100'000 && back->metadata == many.metadata;
  }));
}

TEST(SafeTensors, UnknownKeysArePassedOver) {
  const std::string file =
      file_with(R"({"t":{"shape":[8],"more":{"shape":[1,2],"x":[[3]]},"dtype":"U8",)"
                R"("data_offsets":[0,8],"last":[1,[2]]}})",
                "12345678");
  const auto got = parse_safetensors(bytes_of(file), "x");
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->tensors.at(0).second.shape(), (ir::Shape{8}));
  EXPECT_THAT(error_of(file_with(R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                                 R"("t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})")),
              HasSubstr("twice"));
  EXPECT_THAT(error_of(file_with(R"({"t":{"dtype":["U8"],"shape":[0],"data_offsets":[0,0]}})")),
              HasSubstr("lacks dtype"));
  EXPECT_THAT(error_of(file_with(R"({"t":{"dtype":"U8","shape":[[0]],"data_offsets":[0,0]}})")),
              HasSubstr("unreadable shape"));
}

TEST(SafeTensors, EveryTruncationIsAnErrorAndNoFlipEscapes) {
  const std::string file = safetensors_bytes(sample());
  tests::for_each_truncation(file, [](std::span<const std::byte> bytes) {
    EXPECT_FALSE(parse_safetensors(bytes, "cut").ok()) << bytes.size();
  });
  int whole = 0;
  tests::for_each_bit_flip(file, [&](std::span<const std::byte> bytes) {
    whole += parse_safetensors(bytes, "flip").ok();
  });
  EXPECT_GT(whole, 0);
}

}  // namespace
}  // namespace mase::io
