#pragma once

#include <algorithm>
#include <cstdint>

#include "mase/numerics/format.h"

namespace mase::numerics {

extern const Format kMinifloatIeee;

// A small binary float with an implicit leading one and subnormals; every exponent code is a
// number, as far as float32 reaches.
struct Minifloat {
  int mantissa_bits;
  int exponent_bits;
  int bias;

  int smallest_exponent() const { return -bias; }  // of the subnormals; codes 0
  int largest_exponent() const { return std::min((1 << exponent_bits) - 1 - bias, 127); }
};

Minifloat minifloat_of(const Precision& precision);

}  // namespace mase::numerics
