#include "mase/numerics/integer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "mase/support/error.h"

namespace mase::numerics {
namespace {

float quantised(const Precision& precision, float x) {
  float y = 0;
  quantise(precision, {}, {&x, 1}, {&y, 1});
  return y;
}

TEST(Integer, TiesGoToEven) {
  const Precision p = integer(8, 4);
  EXPECT_EQ(quantised(p, 0.03125f), 0.0f);
  EXPECT_EQ(quantised(p, 0.09375f), 0.125f);
  EXPECT_EQ(quantised(p, 8.1f), 7.9375f);
  EXPECT_EQ(quantised(p, -8.1f), -8.0f);
}

// Every code of every format of up to 16 bits survives decode then encode.
TEST(Integer, EveryCodeRoundTrips) {
  for (int width : {1, 2, 3, 8, 12, 16}) {
    for (int frac : {-3, 0, 4, 16, 20}) {
      for (bool is_signed : {true, false}) {
        const Precision p = integer(width, frac, is_signed);
        const IntegerGrid grid = integer_grid(p);
        for (std::int64_t code = grid.low; code <= grid.high; ++code) {
          const Codes codes{.elements = {code}};
          float value = 0;
          p.format->decode(p, {}, codes, {&value, 1});
          EXPECT_EQ(encode(p, {}, {&value, 1}).elements[0], code);
          EXPECT_EQ(quantised(p, value), value);
        }
      }
    }
  }
}

// The vectorised path and the general one agree on every exact case of the rounding table.
TEST(Integer, FastPathEqualsCodes) {
  const Precision p = integer(8, 4);
  const IntegerGrid grid = integer_grid(p);
  for (int i = -40000; i <= 40000; ++i) {
    const float x = static_cast<float>(i) / 3000.0f;
    const std::int64_t code = integer_code(x, grid);
    EXPECT_EQ(quantised(p, x), static_cast<float>(code) / 16.0f) << x;
  }
}

TEST(Integer, RoundingModesAndWrapping) {
  Precision p = integer(4, 0);
  const auto code = [&](float x) { return encode(p, {}, {&x, 1}).elements[0]; };
  p.values["rounding"] = "nearest_away";
  EXPECT_EQ(code(2.5f), 3);
  p.values["rounding"] = "toward_zero";
  EXPECT_EQ(code(-2.9f), -2);
  p.values["rounding"] = "down";
  EXPECT_EQ(code(-2.1f), -3);
  p.values["rounding"] = "up";
  EXPECT_EQ(code(2.1f), 3);
  p.values["overflow"] = "wrap";
  p.values["rounding"] = "nearest_even";
  EXPECT_EQ(code(8.0f), -8);
  EXPECT_EQ(code(-9.0f), 7);
}

TEST(Integer, SignOfZeroAndNan) {
  EXPECT_TRUE(std::signbit(quantised(integer(8, 4), -0.01f)));
  EXPECT_TRUE(std::isnan(quantised(integer(8, 4), NAN)));
  EXPECT_EQ(quantised(integer(8, 4), INFINITY), 7.9375f);
}

TEST(Integer, DefaultFractionIsHalfTheWidth) {
  EXPECT_EQ(quantised(integer(8, std::nullopt), 0.3f), quantised(integer(8, 4), 0.3f));
}

TEST(Integer, ErrorsNameTheParameterAndItsRange) {
  try {
    make_precision(kInteger, {{"widht", 8}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'width'?"), std::string::npos);
  }
  EXPECT_THROW(integer(0, 0), Error);
  EXPECT_THROW(integer(33, 0), Error);
}

TEST(Integer, FractionForARange) {
  const std::vector<int> choices{2, 4, 6};
  EXPECT_EQ(integer_fraction(8, choices, -3.0, 1.0), 4);
  EXPECT_EQ(integer_fraction(8, choices, -0.2, 0.1), 6);
}

TEST(Integer, CountsWhatTheRangeCutsOff) {
  const std::vector<float> in = {7.9375f, 7.96f, 7.97f, 100.0f, -8.0f, -8.03f, -8.04f, 0.0f};
  EXPECT_EQ(out_of_range(integer(8, 4), {}, in), 3);
  EXPECT_EQ(out_of_range(integer(8, 4, false), {}, in), 4);
  EXPECT_EQ(out_of_range(Precision{}, {}, in), 0);
}

}  // namespace
}  // namespace mase::numerics
