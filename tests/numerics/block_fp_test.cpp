// Block floating point against a plain evaluation of its definition in float64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "mase/numerics/blocks.h"
#include "mase/support/error.h"

namespace mase::numerics {
namespace {

Precision block_fp(int width, int exponent_width, FieldValue::List block, FieldValue bias = {}) {
  return make_precision("block_fp", {{"width", width},
                                     {"exponent_width", exponent_width},
                                     {"exponent_bias", bias},
                                     {"block_size", std::move(block)}});
}

std::vector<float> wide_numbers(std::size_t count) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> out(count);
  for (float& x : out) x = normal(random) * std::ldexp(1.0f, static_cast<int>(random() % 9) - 4);
  return out;
}

TEST(Blocks, AreMatchedFromTheRight) {
  const auto sizes = [](Edge edge, std::vector<std::int64_t> block) {
    return blocks_of(edge, block).block;
  };
  using Sizes = std::vector<std::int64_t>;
  EXPECT_EQ(sizes(parameter_edge({20}), {16}), Sizes({16}));
  EXPECT_EQ(sizes(parameter_edge({6, 40}), {16}), Sizes({6, 16}));  // the rows as a whole
  EXPECT_EQ(sizes(parameter_edge({6, 40}), {1, 16}), Sizes({1, 16}));
  EXPECT_EQ(sizes(parameter_edge({6, 10}), {2, 16}), Sizes({2, 10}));
  EXPECT_EQ(sizes(data_edge({6, 40}), {-1, 16}), Sizes({1, 16}));  // samples stay apart
  EXPECT_EQ(sizes(data_edge({2, 5, 7}), {16}), Sizes({1, 5, 7}));
  EXPECT_EQ(sizes(parameter_edge({8, 3, 5, 5}), {16}), Sizes({1, 1, 5, 5}));
  EXPECT_EQ(sizes(parameter_edge({8, 3, 5, 5}), {9, 2, 3, 4, 4}), Sizes({2, 3, 4, 4}));
}

TEST(Blocks, EveryElementIsInOneRunOfItsBlock) {
  for (const std::vector<std::int64_t>& size :
       {std::vector<std::int64_t>{16}, {1, 4}, {2, 3}, {-1, 5}, {3, 2, 4}}) {
    const Blocks blocks = blocks_of(parameter_edge({4, 5, 11}), size);
    std::vector<int> seen(4 * 5 * 11, 0);
    for_each_run(blocks, [&](std::int64_t block, std::int64_t first, std::int64_t count) {
      EXPECT_LT(block, blocks.count());
      for (std::int64_t i = first; i < first + count; ++i) {
        EXPECT_EQ(blocks.block_of(i), block);
        ++seen[static_cast<std::size_t>(i)];
      }
    });
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(seen.size()));
  }
}

// By the definition, element by element: exact, for everything in it is a power of two.
TEST(BlockFp, IsItsDefinition) {
  const Edge edge = parameter_edge({7, 33});
  const std::vector<float> in = wide_numbers(7 * 33);
  for (const int width : {2, 4, 8, 12}) {
    for (const int exponent_width : {2, 4, 8}) {
      for (const FieldValue::List& size : {FieldValue::List{16}, {1, 16}, {4, 4}, {-1, -1}}) {
        const Precision p = block_fp(width, exponent_width, size);
        const Blocks blocks = blocks_of(edge, p.integers("block_size"));
        std::vector<float> out(in.size());
        quantise(p, edge, in, out);
        for (std::size_t i = 0; i < in.size(); ++i) {
          double most = 0;
          for (std::size_t j = 0; j < in.size(); ++j) {
            const bool same = blocks.block_of(static_cast<std::int64_t>(j)) ==
                              blocks.block_of(static_cast<std::int64_t>(i));
            if (same) most = std::max(most, std::fabs(static_cast<double>(in[j])));
          }
          const int bias = (1 << (exponent_width - 1)) - 1;
          const double wanted = std::ceil(std::log2(most));
          const int e =
              static_cast<int>(std::clamp(wanted, -double{static_cast<double>(bias)},
                                          static_cast<double>((1 << exponent_width) - 1 - bias)));
          const double m = std::ldexp(1.0, width - 1);
          const double k = std::min(
              std::nearbyint(std::fabs(static_cast<double>(in[i])) / std::ldexp(1.0, e) * m),
              m - 1);
          EXPECT_EQ(out[i], static_cast<float>(std::copysign(std::ldexp(k / m, e), in[i])))
              << p.full_text() << " element " << i;
        }
      }
    }
  }
}

TEST(BlockFp, CountsItsSharedBits) {
  const Precision p = block_fp(4, 8, {1, 16});
  EXPECT_EQ(bits(p, parameter_edge({2, 32})), 64 * 4 + 4 * 8);
  EXPECT_EQ(bits_per_element(p, parameter_edge({2, 16})), 4.5);
  EXPECT_EQ(bits(p, parameter_edge({1, 17})), 17 * 4 + 2 * 8);
}

TEST(BlockFp, ReadsWell) {
  const Precision p = block_fp(4, 8, {2});
  const std::vector<float> in = {3.0f, -1.0f, 0.5f, 0.0f};
  const Codes codes = encode(p, parameter_edge({4}), in);
  EXPECT_EQ(codes.exponents, std::vector<std::int64_t>({2, -1}));
  EXPECT_EQ(find_format("block_fp")->code_text(p, parameter_edge({4}), codes, 1), "-2/8*2^2");
}

TEST(BlockFp, RefusesBlocksOfNothing) {
  EXPECT_THROW(block_fp(8, 8, {0}), Error);
  EXPECT_THROW(block_fp(8, 8, FieldValue::List{}), Error);
  EXPECT_THROW(block_fp(8, 8, {16}, -100), Error);
}

}  // namespace
}  // namespace mase::numerics
