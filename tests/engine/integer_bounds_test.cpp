// The proofs behind integer evaluation, at their edges.
#include <gtest/gtest.h>

#include "mase/engine/native/integer_bounds.h"

namespace mase::engine::native {
namespace {

IntegerKernels adding_in(int bits) {
  return {.name = "test", .adds_in_16_bits = bits == 16};
}

LayerCodes one_output(std::vector<std::int32_t> weight, int low, int high) {
  LayerCodes layer{.inputs = static_cast<int>(weight.size()), .outputs = 1};
  layer.weight = std::move(weight);
  layer.bias = {0.0f};
  layer.low = low;
  layer.high = high;
  return layer;
}

TEST(IntegerBounds, SumsReachTwoToThe24) {
  // 2^24 = 512 * 32768.
  LayerCodes layer = one_output({512}, -32768, 32767);
  EXPECT_EQ(prove(layer, adding_in(16), {}).why, "");
  layer.bias = {1.0f};
  EXPECT_EQ(prove(layer, adding_in(16), {}).why, "sums of output 0 may pass 2^24");
  layer = one_output({512}, -32767, 32767);
  layer.bias = {512.0f};
  EXPECT_EQ(prove(layer, adding_in(16), {}).why, "");
  layer.bias = {512.25f};  // the same bound in quarters
  layer.bias_fraction = 2;
  EXPECT_NE(prove(layer, adding_in(16), {}).why, "");
}

TEST(IntegerBounds, BytesNeedPairsThatFit16Bits) {
  // 127 * 129 * 2 = 32766; 127 * 255 + 129 * 2 ... the pair may reach 32767 and not more.
  LayerCodes layer = one_output({127, 1}, 0, 255);
  EXPECT_TRUE(prove(layer, adding_in(16), {}).bytes);
  layer = one_output({127, 2}, 0, 255);  // 32895
  EXPECT_FALSE(prove(layer, adding_in(16), {}).bytes);
  EXPECT_TRUE(prove(layer, adding_in(16), {}).halves);
  EXPECT_TRUE(prove(layer, adding_in(32), {}).bytes);
  layer = one_output({-128, 0, 127, 1}, 0, 255);  // below 0 down to -32640
  EXPECT_TRUE(prove(layer, adding_in(16), {}).bytes);
  layer = one_output({-128, -1}, 0, 255);  // -32895
  EXPECT_FALSE(prove(layer, adding_in(16), {}).bytes);
  layer = one_output({128}, 0, 1);  // no signed byte
  EXPECT_FALSE(prove(layer, adding_in(32), {}).bytes);
  layer = one_output({1}, 0, 256);
  EXPECT_FALSE(prove(layer, adding_in(32), {}).bytes);
}

TEST(IntegerBounds, RunsAreAsLongAsTheirSumsFit) {
  // Each word adds 2 * 127 * 20 = 5080 to either lane: six fit, seven do not.
  const std::vector<std::int32_t> weight(96, 20);
  const LayerProof proof = prove(one_output(weight, 0, 127), adding_in(16), {});
  EXPECT_TRUE(proof.bytes);
  EXPECT_EQ(proof.run, 6);  // 24, 12, 6
  EXPECT_EQ(prove(one_output(weight, 0, 127), adding_in(16), {.longest_run = 4}).run, 4);
  EXPECT_EQ(prove(one_output(weight, 0, 127), adding_in(32), {}).run, 24);
}

TEST(IntegerBounds, StartsOfSumsAreSplitOverTheLanes) {
  // Either lane reaches 127 * 200 = 25400, so each may start with up to 7367.
  LayerCodes layer = one_output({100, 100, 100, 100}, 0, 127);
  layer.bias = {2.0f * 7367.0f};
  LayerProof proof = prove(layer, adding_in(16), {});
  PackedLayer packed = pack(layer, proof, CodeSize::Bytes);
  ASSERT_EQ(packed.start16.size(), 1u);
  EXPECT_EQ(packed.start16[0], 7367 * 65537);
  layer.bias = {2.0f * 7367.0f + 1.0f};
  proof = prove(layer, adding_in(16), {});
  packed = pack(layer, proof, CodeSize::Bytes);
  EXPECT_TRUE(packed.start16.empty());
  EXPECT_EQ(packed.start[0], 14735);
}

TEST(IntegerBounds, BytesCountFromTheLowestCode) {
  LayerCodes layer = one_output({3, -1, 2}, -8, 7);
  layer.bias = {0.5f};
  layer.fraction = 2;
  layer.bias_fraction = 1;
  const LayerProof proof = prove(layer, adding_in(16), {});
  EXPECT_TRUE(proof.bias_in_sum);
  EXPECT_EQ(pack(layer, proof, CodeSize::Bytes).start[0], 2 - 8 * 4);
  EXPECT_EQ(pack(layer, proof, CodeSize::Halves).start[0], 2);
  EXPECT_EQ(pack(layer, proof, CodeSize::Bytes).weight[0], 0x0002ff03);
  EXPECT_EQ(pack(layer, proof, CodeSize::Halves).weight,
            (std::vector<std::int32_t>{-65536 + 3, 2}));
  layer.bias = {0.125f};  // half a product
  EXPECT_FALSE(prove(layer, adding_in(16), {}).bias_in_sum);
}

TEST(IntegerBounds, NotANumberIsRefused) {
  LayerCodes layer = one_output({1}, 0, 1);
  layer.bias = {std::numeric_limits<float>::quiet_NaN()};
  EXPECT_NE(prove(layer, adding_in(16), {}).why, "");
}

}  // namespace
}  // namespace mase::engine::native
