// Small binary floats, as MASE has them (minifloat_ieee). With m mantissa bits, e exponent bits and
// bias b, E = clamp(floor(log2|x|), -b, 2^e - 1 - b), and
//   normal (E > -b):    2^E (1 + k / 2^m),  k = clamp(rne((|x| / 2^E - 1) 2^m), 0, 2^m - 1)
//   subnormal (E = -b): 2^E (2 k / 2^m),    k = clamp(rne(|x| / 2^E 2^m / 2), 0, 2^m - 1)
// Rounding never carries into the exponent: what lies above the last mantissa of its power of two
// becomes that. There is no infinity and no NaN among the codes: what is too large saturates, NaN
// stays NaN. A code is sign, exponent and mantissa from the highest bit on.
#include "mase/numerics/minifloat_ieee.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace mase::numerics {
namespace {

constexpr int kSmallestExponent = -149;  // of float32's subnormals

struct Parts {
  bool negative = false;
  int exponent = 0;  // E
  std::int64_t mantissa = 0;
};

// floor(log2|x|), from the bits; anything below every subnormal for zero.
int floor_log2(float magnitude) {
  const auto bits = std::bit_cast<std::uint32_t>(magnitude);
  if (bits >= 0x00800000u) return static_cast<int>(bits >> 23) - 127;
  return bits == 0 ? kSmallestExponent - 1 : std::ilogb(magnitude);
}

Parts parts_of(float x, const Minifloat& f) {
  const float magnitude = std::fabs(x);
  const int smallest = f.smallest_exponent();
  const int exponent = std::clamp(floor_log2(magnitude), smallest, f.largest_exponent());
  const double last = power_of_two(f.mantissa_bits) - 1.0;
  // Exact: float32 has 24 digits, float64 53.
  const double unit = static_cast<double>(magnitude) * power_of_two(f.mantissa_bits - exponent);
  const double k =
      exponent > smallest ? std::nearbyint(unit - (last + 1.0)) : std::nearbyint(unit / 2.0);
  return {.negative = std::signbit(x),
          .exponent = exponent,
          .mantissa = static_cast<std::int64_t>(std::clamp(k, 0.0, last))};
}

double value_of(const Parts& parts, const Minifloat& f) {
  const double fraction = static_cast<double>(parts.mantissa) * power_of_two(-f.mantissa_bits);
  const double digits = parts.exponent > f.smallest_exponent() ? 1.0 + fraction : 2.0 * fraction;
  return (parts.negative ? -digits : digits) * power_of_two(parts.exponent);
}

void quantise_minifloat(const Precision& precision, const Edge&, std::span<const float> in,
                        std::span<float> out) {
  const Minifloat f = minifloat_of(precision);
  for (std::size_t i = 0; i < in.size(); ++i) {
    out[i] = std::isnan(in[i]) ? in[i] : static_cast<float>(value_of(parts_of(in[i], f), f));
  }
}

Codes encode_minifloat(const Precision& precision, const Edge&, std::span<const float> in) {
  const Minifloat f = minifloat_of(precision);
  Codes codes;
  codes.elements.reserve(in.size());
  for (const float x : in) {
    const Parts parts = std::isnan(x) ? Parts{.exponent = f.smallest_exponent()} : parts_of(x, f);
    const std::int64_t sign = parts.negative ? 1 : 0;
    const std::int64_t exponent = parts.exponent + f.bias;
    codes.elements.push_back((sign << (f.exponent_bits + f.mantissa_bits)) |
                             (exponent << f.mantissa_bits) | parts.mantissa);
  }
  return codes;
}

Parts parts_of_code(std::int64_t code, const Minifloat& f) {
  const std::int64_t exponent = (code >> f.mantissa_bits) & ((1 << f.exponent_bits) - 1);
  return {.negative = ((code >> (f.exponent_bits + f.mantissa_bits)) & 1) != 0,
          .exponent = static_cast<int>(exponent) - f.bias,
          .mantissa = code & ((std::int64_t{1} << f.mantissa_bits) - 1)};
}

void decode_minifloat(const Precision& precision, const Edge&, const Codes& codes,
                      std::span<float> out) {
  const Minifloat f = minifloat_of(precision);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(value_of(parts_of_code(codes.elements[i], f), f));
  }
}

std::int64_t minifloat_out_of_range(const Precision& precision, const Edge&,
                                    std::span<const float> in) {
  const Minifloat f = minifloat_of(precision);
  const double last = (2.0 - power_of_two(-f.mantissa_bits)) * power_of_two(f.largest_exponent());
  return std::count_if(in.begin(), in.end(), [&](float x) { return std::fabs(x) > last; });
}

// "-1.375*2^-1".
std::string minifloat_code_text(const Precision& precision, const Edge&, const Codes& codes,
                                std::size_t i) {
  const Minifloat f = minifloat_of(precision);
  const Parts parts = parts_of_code(codes.elements[i], f);
  const double scaled = value_of(parts, f) * power_of_two(-parts.exponent);
  return fmt::format("{}*2^{}", scaled, parts.exponent);
}

std::string check_minifloat(const Precision& precision) {
  const std::int64_t mantissa =
      precision.integer("width") - precision.integer("exponent_width") - 1;
  if (mantissa < 0) {
    return fmt::format("width {} leaves no room for a sign and {} bits of exponent",
                       precision.integer("width"), precision.integer("exponent_width"));
  }
  constexpr int kFloat32 = 128;  // its own highest code, which means infinity there
  const Minifloat f = minifloat_of(precision);
  if ((1 << f.exponent_bits) - 1 - f.bias > kFloat32 ||
      f.smallest_exponent() + 1 - f.mantissa_bits < kSmallestExponent) {
    return fmt::format("exponents from {} to {} with {} bits of mantissa go beyond float32",
                       f.smallest_exponent(), (1 << f.exponent_bits) - 1 - f.bias, f.mantissa_bits);
  }
  return "";
}

}  // namespace

Minifloat minifloat_of(const Precision& precision) {
  const auto exponent = static_cast<int>(precision.integer("exponent_width"));
  const int standard = (1 << (exponent - 1)) - 1;
  return {.mantissa_bits = static_cast<int>(precision.integer("width")) - exponent - 1,
          .exponent_bits = exponent,
          .bias = static_cast<int>(precision.integer_if("exponent_bias").value_or(standard))};
}

const Format kMinifloatIeee{
    .name = "minifloat_ieee",
    .aliases = {},
    .summary =
        "a small float: sign, `exponent_width` bits of exponent, the rest mantissa with an "
        "implicit leading one, and subnormals",
    .layer_suffix = "MinifloatIEEE",
    .fields = {{.name = "width", .low = 2, .high = 32, .help = "bits of a code, the sign included"},
               {.name = "exponent_width", .low = 1, .high = 8, .help = "bits of the exponent"},
               {.name = "exponent_bias",
                .standard = FieldValue(),
                .low = -256,
                .high = 256,
                .help = "what is subtracted from an exponent's code; 2^(exponent_width - 1) - 1 if "
                        "left out"}},
    .listed = 3,
    .granularity = Granularity::Element,
    .quantise = quantise_minifloat,
    .encode = encode_minifloat,
    .decode = decode_minifloat,
    .out_of_range = minifloat_out_of_range,
    .bits = [](const Precision& p,
               const Edge& edge) { return element_bits(edge, p.integer("width")); },
    .code_text = minifloat_code_text,
    .check = check_minifloat,
};

}  // namespace mase::numerics
