#pragma once

#include <string>

#include "bench/measure.h"

namespace mase::bench {

// Fused multiply-adds on registers with the widest vectors of this machine: the rate, in
// floating-point operations per second, that nothing on one core exceeds.
Contender fma_peak();
std::string fma_peak_name();  // "avx512"

}  // namespace mase::bench
