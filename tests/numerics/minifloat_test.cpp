// Small floats against the slow way: all values that the codes stand for.
#include "mase/numerics/minifloat_ieee.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "mase/support/error.h"

namespace mase::numerics {
namespace {

Precision minifloat(int width, int exponent_width, FieldValue bias = {}) {
  return make_precision(
      kMinifloatIeee,
      {{"width", width}, {"exponent_width", exponent_width}, {"exponent_bias", bias}});
}

float rounded(const Precision& precision, float x) {
  float y = 0;
  quantise(precision, {}, {&x, 1}, {&y, 1});
  return y;
}

std::vector<float> all_values(const Precision& precision) {
  const std::int64_t count = std::int64_t{1} << precision.integer("width");
  Codes codes;
  for (std::int64_t code = 0; code < count; ++code) codes.elements.push_back(code);
  std::vector<float> values(codes.elements.size());
  decode(precision, {}, codes, values);
  return values;
}

// Every code of every format of up to 12 bits survives decode then encode, and quantise keeps it.
TEST(Minifloat, EveryCodeRoundTrips) {
  for (const int width : {3, 4, 6, 8, 12}) {
    for (int exponent = 1; exponent <= std::min(width - 1, 7); ++exponent) {
      for (const int bias : {0, 3, 9}) {
        const Precision p = minifloat(width, exponent, bias);
        const std::vector<float> values = all_values(p);
        for (std::size_t code = 0; code < values.size(); ++code) {
          EXPECT_EQ(encode(p, {}, {&values[code], 1}).elements[0], static_cast<std::int64_t>(code))
              << p.text() << " " << values[code];
          EXPECT_EQ(rounded(p, values[code]), values[code]);
        }
      }
    }
  }
}

// The nearest value of the same power of two, ties to the even code: rounding never carries.
TEST(Minifloat, IsTheNearestOfItsPowerOfTwo) {
  for (const auto& [width, exponent] : {std::pair{8, 4}, std::pair{6, 3}, std::pair{6, 2}}) {
    const Precision p = minifloat(width, exponent);
    const Minifloat f = minifloat_of(p);
    const std::vector<float> values = all_values(p);
    for (int i = -4000; i <= 4000; ++i) {
      const float x = std::ldexp(1.0f + static_cast<float>(i & 1023) / 1024.0f, i / 250);
      const int power = std::clamp(std::ilogb(x), f.smallest_exponent(), f.largest_exponent());
      float best = 0;
      for (std::size_t code = 0; code < values.size() / 2; ++code) {
        const float v = values[code];
        const bool same = static_cast<int>(code >> f.mantissa_bits) - f.bias == power;
        if (!same) continue;
        const bool nearer = std::fabs(v - x) < std::fabs(best - x);
        const bool even_tie = std::fabs(v - x) == std::fabs(best - x) && code % 2 == 0;
        const bool first = code % (std::size_t{1} << f.mantissa_bits) == 0;
        if (first || nearer || even_tie) best = v;
      }
      EXPECT_EQ(rounded(p, x), best) << p.text() << " " << x;
      EXPECT_EQ(rounded(p, -x), -best) << p.text() << " " << x;
    }
  }
}

TEST(Minifloat, SaturatesAndReadsWell) {
  const Precision p = minifloat(8, 4, 7);
  EXPECT_EQ(rounded(p, 1e9f), 480.0f);  // 2^8 (2 - 2^-3)
  EXPECT_EQ(rounded(p, -INFINITY), -480.0f);
  const std::vector<float> in = {1000.0f, 480.0f, 481.0f, -500.0f};
  EXPECT_EQ(out_of_range(p, {}, in), 3);
  const float x = -0.7f;
  const Codes codes = encode(p, {}, {&x, 1});
  EXPECT_EQ(kMinifloatIeee.code_text(p, {}, codes, 0), "-1.375*2^-1");
}

TEST(Minifloat, RefusesWhatFloat32CannotHold) {
  EXPECT_THROW(minifloat(4, 4), Error);        // no room for the sign
  EXPECT_THROW(minifloat(8, 4, -200), Error);  // 2^215
  EXPECT_THROW(minifloat(16, 4, 200), Error);  // 2^-200
  EXPECT_NO_THROW(minifloat(32, 8));
}

}  // namespace
}  // namespace mase::numerics
