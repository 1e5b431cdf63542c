// Fixed point ("integer"): q(x) = clamp(round(x * 2^f), lo, hi) / 2^f, f = width / 2 if not given.
// Rounding is to nearest, ties to even, unless the precision says otherwise. The arithmetic is that
// of single precision: x * 2^f is exact, a code that float32 cannot hold (width > 24) is rounded
// to the nearest that it can, as any float32 tensor library would.
#include "mase/numerics/integer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mase/support/error.h"

namespace mase::numerics {
namespace {

double rounded(double v, Rounding rounding) {
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

std::int64_t value_or(const Precision& precision, std::string_view key, std::int64_t otherwise) {
  const auto found = precision.values.find(key);
  return found == precision.values.end() ? otherwise : found->second;
}

std::int64_t wrapped(double v, const IntegerGrid& grid) {
  const double span = static_cast<double>(grid.high - grid.low) + 1.0;
  const double offset = std::fmod(v - static_cast<double>(grid.low), span);
  return grid.low + static_cast<std::int64_t>(offset < 0 ? offset + span : offset);
}

void quantise_integer(const Precision& precision, const Layout&, std::span<const float> in,
                      std::span<float> out) {
  const IntegerGrid grid = integer_grid(precision);
  if (precision.rounding == Rounding::NearestEven && precision.overflow == Overflow::Saturate) {
    // The common case, in float32 so that it vectorises. The bounds are exact in float32 up to
    // width 25; above, the nearest float32 is what a float32 clamp would use as well.
    const float scale = static_cast<float>(grid.scale);
    const float low = static_cast<float>(grid.low);
    const float high = static_cast<float>(grid.high);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const float code = std::nearbyintf(in[i] * scale);
      const float kept = code < low ? low : (code > high ? high : code);  // NaN stays NaN
      out[i] = kept / scale;
    }
    return;
  }
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (std::isnan(in[i])) {
      out[i] = in[i];
      continue;
    }
    const std::int64_t code = integer_code(in[i], grid, precision.rounding, precision.overflow);
    out[i] = static_cast<float>(static_cast<double>(code) * grid.step);
  }
}

Codes encode_integer(const Precision& precision, const Layout&, std::span<const float> in) {
  const IntegerGrid grid = integer_grid(precision);
  Codes codes;
  codes.elements.reserve(in.size());
  for (float x : in) {
    codes.elements.push_back(integer_code(x, grid, precision.rounding, precision.overflow));
  }
  return codes;
}

void decode_integer(const Precision& precision, const Layout&, const Codes& codes,
                    std::span<float> out) {
  const IntegerGrid grid = integer_grid(precision);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(static_cast<double>(codes.elements[i]) * grid.step);
  }
}

std::int64_t integer_out_of_range(const Precision& precision, const Layout&,
                                  std::span<const float> in) {
  const IntegerGrid grid = integer_grid(precision);
  std::int64_t count = 0;
  for (float x : in) {
    const double v = rounded(static_cast<double>(x) * grid.scale, precision.rounding);
    if (v < static_cast<double>(grid.low) || v > static_cast<double>(grid.high)) ++count;
  }
  return count;
}

std::string integer_code_text(const Precision& precision, std::int64_t code) {
  const double scale = integer_grid(precision).scale;
  return scale >= 1.0 ? fmt::format("{}/{}", code, scale) : fmt::format("{}*{}", code, 1.0 / scale);
}

}  // namespace

IntegerGrid integer_grid(const Precision& precision) {
  const std::int64_t width = value_or(precision, "width", 0);
  const std::int64_t frac = value_or(precision, "frac_width", width / 2);
  const bool is_signed = value_or(precision, "is_signed", 1) != 0;
  const std::int64_t one = 1;
  return {.scale = std::ldexp(1.0, static_cast<int>(frac)),
          .step = std::ldexp(1.0, static_cast<int>(-frac)),
          .low = is_signed ? -(one << (width - 1)) : 0,
          .high = is_signed ? (one << (width - 1)) - 1 : (one << width) - 1};
}

std::int64_t integer_code(float x, const IntegerGrid& grid, Rounding rounding, Overflow overflow) {
  if (std::isnan(x)) return 0;
  const double v = rounded(static_cast<double>(x) * grid.scale, rounding);
  if (v >= static_cast<double>(grid.low) && v <= static_cast<double>(grid.high)) {
    return static_cast<std::int64_t>(v);
  }
  if (overflow == Overflow::Wrap && std::isfinite(v)) return wrapped(v, grid);
  return v < 0 ? grid.low : grid.high;
}

std::uint64_t bit_pattern(std::int64_t code, int width) {
  const std::uint64_t mask = width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  return static_cast<std::uint64_t>(code) & mask;
}

int integer_fraction(int width, std::span<const int> choices, double min_value, double max_value) {
  const double reach = std::max({0.5, std::abs(min_value), std::abs(max_value)});
  const int integer_width = static_cast<int>(std::trunc(std::log2(reach))) + 2;
  const int room = std::max(0, width - integer_width);
  int best = 0;
  bool found = false;
  for (int choice : choices) {
    if (choice <= room && (!found || choice > best)) best = choice;
    found = found || choice <= room;
  }
  if (!found) {
    usage_error(fmt::format("no fraction width fits {} bits for values from {} to {}: at most {}",
                            width, min_value, max_value, room));
  }
  return best;
}

Precision integer(int width, std::optional<int> frac_width, bool is_signed) {
  Values values{{"width", width}, {"is_signed", is_signed ? 1 : 0}};
  if (frac_width) values.emplace("frac_width", *frac_width);
  return make_precision(kInteger, std::move(values));
}

const Format kInteger{
    .name = "integer",
    .aliases = {"fixed"},
    .summary = "fixed point: codes of `width` bits, `frac_width` of them after the binary point",
    .layer_suffix = "Integer",
    .parameters =
        {{.name = "width", .low = 1, .high = 32, .help = "bits of a code"},
         {.name = "frac_width",
          .low = -64,
          .high = 64,
          .optional = true,
          .help = "bits after the binary point; width / 2 if left out"},
         {.name = "is_signed", .low = 0, .high = 1, .standard = 1, .help = "two's complement"}},
    .listed = 2,
    .granularity = Granularity::Element,
    .gradient = Gradient::StraightThrough,
    .quantise = quantise_integer,
    .encode = encode_integer,
    .decode = decode_integer,
    .out_of_range = integer_out_of_range,
    .bits_per_element =
        [](const Precision& p) { return static_cast<double>(p.values.at("width")); },
    .code_text = integer_code_text,
};

}  // namespace mase::numerics
