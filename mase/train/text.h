#pragma once

#include <cstdint>
#include <string>

// Numbers as the trainer prints them.
namespace mase::train {

// "327  ", "3.4 K", "402 K", "1.2 M": one decimal below 100 of a unit, truncated from there on.
std::string readable_count(std::int64_t number);

// A metric on the progress line: three significant digits, padded with zeros to five characters
// ("0.730", "1.200", "12.30"); very small and large ones with an exponent ("1.5e-5").
std::string progress_number(double value);

}  // namespace mase::train
