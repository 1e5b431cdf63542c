#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "mase/support/field.h"

// How a format gets from a real code to a whole one, and what it does with one that its bits cannot
// hold.
namespace mase::numerics {

enum class Rounding { NearestEven, NearestAway, TowardZero, Down, Up };
enum class Overflow { Saturate, Wrap };

std::string_view name(Rounding rounding);  // "nearest_even"
std::string_view name(Overflow overflow);

// The parameters `rounding` and `overflow` of a format that lets users choose.
Field rounding_field();
Field overflow_field();
// Of a checked value of these fields.
Rounding rounding_of(std::string_view text);
Overflow overflow_of(std::string_view text);

// The whole number that `v` is rounded to; NaN and infinities stay what they are.
double round_whole(double v, Rounding rounding);

// 2^exponent for exponents from -1022 to 1023.
inline double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

}  // namespace mase::numerics
