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

std::int64_t wrapped(double v, const IntegerGrid& grid) {
  const double span = static_cast<double>(grid.high - grid.low) + 1.0;
  const double offset = std::fmod(v - static_cast<double>(grid.low), span);
  return grid.low + static_cast<std::int64_t>(offset < 0 ? offset + span : offset);
}

void quantise_integer(const Precision& precision, const Edge&, std::span<const float> in,
                      std::span<float> out) {
  const IntegerGrid grid = integer_grid(precision);
  if (grid.rounding == Rounding::NearestEven && grid.overflow == Overflow::Saturate) {
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
    const bool has_code = !std::isnan(in[i]);
    const double code = has_code ? static_cast<double>(integer_code(in[i], grid)) : in[i];
    out[i] = static_cast<float>(code * grid.step);
  }
}

Codes encode_integer(const Precision& precision, const Edge&, std::span<const float> in) {
  const IntegerGrid grid = integer_grid(precision);
  Codes codes;
  codes.elements.reserve(in.size());
  for (float x : in) codes.elements.push_back(integer_code(x, grid));
  return codes;
}

void decode_integer(const Precision& precision, const Edge&, const Codes& codes,
                    std::span<float> out) {
  const IntegerGrid grid = integer_grid(precision);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(static_cast<double>(codes.elements[i]) * grid.step);
  }
}

std::int64_t integer_out_of_range(const Precision& precision, const Edge&,
                                  std::span<const float> in) {
  const IntegerGrid grid = integer_grid(precision);
  std::int64_t count = 0;
  for (float x : in) {
    const double v = round_whole(static_cast<double>(x) * grid.scale, grid.rounding);
    if (v < static_cast<double>(grid.low) || v > static_cast<double>(grid.high)) ++count;
  }
  return count;
}

std::string integer_code_text(const Precision& precision, const Edge&, const Codes& codes,
                              std::size_t i) {
  const double scale = integer_grid(precision).scale;
  const std::int64_t code = codes.elements[i];
  return scale >= 1.0 ? fmt::format("{}/{}", code, scale) : fmt::format("{}*{}", code, 1.0 / scale);
}

std::optional<AffineGrid> integer_affine(const Precision& precision, const Edge&) {
  const IntegerGrid grid = integer_grid(precision);
  return AffineGrid{.steps = {grid.step},
                    .low = static_cast<double>(grid.low),
                    .high = static_cast<double>(grid.high),
                    .rounding = grid.rounding,
                    .overflow = grid.overflow};
}

}  // namespace

IntegerGrid integer_grid(const Precision& precision) {
  const std::int64_t width = precision.integer("width");
  const std::int64_t frac = precision.integer_if("frac_width").value_or(width / 2);
  const bool is_signed = precision.flag("is_signed");
  const std::int64_t one = 1;
  return {.scale = std::ldexp(1.0, static_cast<int>(frac)),
          .step = std::ldexp(1.0, static_cast<int>(-frac)),
          .low = is_signed ? -(one << (width - 1)) : 0,
          .high = is_signed ? (one << (width - 1)) - 1 : (one << width) - 1,
          .rounding = rounding_of(precision.text("rounding")),
          .overflow = overflow_of(precision.text("overflow"))};
}

std::int64_t integer_code(float x, const IntegerGrid& grid) {
  if (std::isnan(x)) return 0;
  const double v = round_whole(static_cast<double>(x) * grid.scale, grid.rounding);
  if (v >= static_cast<double>(grid.low) && v <= static_cast<double>(grid.high)) {
    return static_cast<std::int64_t>(v);
  }
  if (grid.overflow == Overflow::Wrap && std::isfinite(v)) return wrapped(v, grid);
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
  Values values{{"width", width}, {"is_signed", is_signed}};
  if (frac_width) values.emplace("frac_width", *frac_width);
  return make_precision(kInteger, std::move(values));
}

const Format kInteger{
    .name = "integer",
    .aliases = {"fixed"},
    .summary = "fixed point: codes of `width` bits, `frac_width` of them after the binary point",
    .layer_suffix = "Integer",
    .fields = {{.name = "width", .low = 1, .high = 32, .help = "bits of a code"},
               {.name = "frac_width",
                .standard = FieldValue(),
                .low = -64,
                .high = 64,
                .help = "bits after the binary point; width / 2 if left out"},
               {.name = "is_signed",
                .type = FieldType::Bool,
                .standard = true,
                .help = "two's complement"},
               rounding_field(),
               overflow_field()},
    .listed = 2,
    .granularity = Granularity::Element,
    .quantise = quantise_integer,
    .encode = encode_integer,
    .decode = decode_integer,
    .out_of_range = integer_out_of_range,
    .bits = [](const Precision& p,
               const Edge& edge) { return element_bits(edge, p.integer("width")); },
    .code_text = integer_code_text,
    .affine = integer_affine,
};

}  // namespace mase::numerics
