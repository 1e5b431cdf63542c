#pragma once

#include "mase/numerics/format.h"

namespace mase::numerics {

extern const Format kInteger;

// The parts of an integer precision, resolved once per tensor rather than once per element.
struct IntegerGrid {
  double scale;      // 2^frac_width
  double step;       // 2^-frac_width
  std::int64_t low;  // smallest and largest code
  std::int64_t high;
  Rounding rounding = Rounding::NearestEven;
  Overflow overflow = Overflow::Saturate;
};

IntegerGrid integer_grid(const Precision& precision);

// The code of one value: round(x * scale), then saturated or wrapped. NaN has no code: 0.
std::int64_t integer_code(float x, const IntegerGrid& grid);

// The two's-complement bit pattern of a code: the code modulo 2^width.
std::uint64_t bit_pattern(std::int64_t code, int width);

// The largest entry of `choices` that leaves room for the values' integer part at this width:
// width - (trunc(log2(max(0.5, |min|, |max|))) + 2). Throws Error{Usage} if none fits.
int integer_fraction(int width, std::span<const int> choices, double min_value, double max_value);

}  // namespace mase::numerics
