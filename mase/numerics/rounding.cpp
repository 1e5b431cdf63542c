// Rounding to whole numbers, and the names of its modes.
#include "mase/numerics/rounding.h"

#include <array>
#include <cmath>

#include "mase/support/error.h"

namespace mase::numerics {
namespace {

constexpr std::array<std::string_view, 5> kRoundings = {"nearest_even", "nearest_away",
                                                        "toward_zero", "down", "up"};
constexpr std::array<std::string_view, 2> kOverflows = {"saturate", "wrap"};

template <typename Enum, std::size_t N>
Enum value_of(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  internal_error("a rounding or overflow that no field allows");
}

}  // namespace

std::string_view name(Rounding rounding) {
  return kRoundings[static_cast<std::size_t>(rounding)];
}

std::string_view name(Overflow overflow) {
  return kOverflows[static_cast<std::size_t>(overflow)];
}

Field rounding_field() {
  return {.name = "rounding",
          .type = FieldType::Text,
          .standard = kRoundings[0],
          .choices = {kRoundings.begin(), kRoundings.end()},
          .help = "which code a value between two of them gets"};
}

Field overflow_field() {
  return {.name = "overflow",
          .type = FieldType::Text,
          .standard = kOverflows[0],
          .choices = {kOverflows.begin(), kOverflows.end()},
          .help = "what becomes of values beyond the codes"};
}

Rounding rounding_of(std::string_view text) {
  return value_of<Rounding>(kRoundings, text);
}

Overflow overflow_of(std::string_view text) {
  return value_of<Overflow>(kOverflows, text);
}

double round_whole(double v, Rounding rounding) {
  switch (rounding) {
    case Rounding::NearestEven:
      return std::nearbyint(v);
    case Rounding::NearestAway:
      return std::round(v);
    case Rounding::TowardZero:
      return std::trunc(v);
    case Rounding::Down:
      return std::floor(v);
    case Rounding::Up:
      return std::ceil(v);
  }
  return v;
}

}  // namespace mase::numerics
