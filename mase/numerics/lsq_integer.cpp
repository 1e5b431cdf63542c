// Integers with a learned step size (Esser, McKinstry, Bablani, Appuswamy, Modha 2020, "Learned
// step size quantization"). With the step s > 0 and codes from -n to p,
//   q(x) = s rne(clamp(x / s, -n, p)),
//   dq/dx = 1 where -n < x / s < p, else 0,
//   dq/ds = rne(x / s) - x / s there, else the code that x saturates at,
// the latter times 1 / sqrt(N p), N the elements of a sample or of a parameter that share the step.
// It starts at 2 mean|x| / sqrt(p). Steps are kept as learned; one that training has pushed to zero
// or below counts by its magnitude, and as no less than the smallest normal float32.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "mase/numerics/format.h"
#include "mase/numerics/rounding.h"

namespace mase::numerics {
namespace {

struct Range {
  float low;
  float high;
};

Range range_of(const Precision& precision) {
  const auto width = static_cast<int>(precision.integer("width"));
  const auto half = static_cast<float>(power_of_two(width - 1));
  return precision.flag("is_signed") ? Range{-half, half - 1} : Range{0, 2 * half - 1};
}

bool per_channel(const Precision& precision) {
  return precision.text("granularity") == "channel";
}

float used_step(float step) {
  return std::max(std::fabs(step), std::numeric_limits<float>::min());
}

// Calls fn(step's index, first, count) for every contiguous run of elements that share a step.
template <typename Fn>
void for_each_step(const Precision& precision, const Edge& edge, std::size_t elements, Fn&& fn) {
  if (!per_channel(precision)) return fn(std::size_t{0}, std::size_t{0}, elements);
  const auto channels = static_cast<std::size_t>(edge.channels());
  std::size_t run = 1;
  for (auto d = static_cast<std::size_t>(edge.channel_axis) + 1; d < edge.shape.size(); ++d) {
    run *= static_cast<std::size_t>(edge.shape[d]);
  }
  for (std::size_t first = 0, i = 0; first < elements; first += run, ++i) {
    fn(i % channels, first, run);
  }
}

void quantise_lsq(const Precision& precision, const Edge& edge, std::span<const float> in,
                  std::span<float> out) {
  const Range range = range_of(precision);
  for_each_step(precision, edge, in.size(), [&](std::size_t c, std::size_t first, std::size_t n) {
    const float step = used_step(edge.state[0][c]);
    for (std::size_t i = first; i < first + n; ++i) {
      const float code = std::nearbyintf(in[i] / step);
      const float kept =
          code < range.low ? range.low : (code > range.high ? range.high : code);  // NaN stays NaN
      out[i] = kept * step;
    }
  });
}

void lsq_gradient(const Precision& precision, const Edge& edge, std::span<const float> in,
                  std::span<const float> grad_out, std::span<float> grad_in,
                  std::span<const std::span<float>> grad_state) {
  const Range range = range_of(precision);
  const std::int64_t shared =
      edge.elements_per_sample() / (per_channel(precision) ? edge.channels() : 1);
  const double scale = 1.0 / std::sqrt(static_cast<double>(shared) * double{range.high});
  for_each_step(precision, edge, in.size(), [&](std::size_t c, std::size_t first, std::size_t n) {
    const float learned = edge.state[0][c];
    const float step = used_step(learned);
    double sum = 0;
    for (std::size_t i = first; i < first + n; ++i) {
      const float v = in[i] / step;
      const bool inside = v > range.low && v < range.high;
      const float saturated = v <= range.low ? range.low : range.high;
      sum += double{grad_out[i]} * (inside ? std::nearbyintf(v) - v : saturated);
      grad_in[i] = inside ? grad_out[i] : 0.0f;
    }
    grad_state[0][c] += static_cast<float>(learned < 0 ? -sum * scale : sum * scale);
  });
}

Codes encode_lsq(const Precision& precision, const Edge& edge, std::span<const float> in) {
  const Range range = range_of(precision);
  Codes codes{.elements = std::vector<std::int64_t>(in.size())};
  for (const float step : edge.state[0]) codes.scales.push_back(double{used_step(step)});
  for_each_step(precision, edge, in.size(), [&](std::size_t c, std::size_t first, std::size_t n) {
    const float step = used_step(edge.state[0][c]);
    for (std::size_t i = first; i < first + n; ++i) {
      const float code = std::isnan(in[i]) ? 0.0f : std::nearbyintf(in[i] / step);
      codes.elements[i] = static_cast<std::int64_t>(std::clamp(code, range.low, range.high));
    }
  });
  return codes;
}

void decode_lsq(const Precision& precision, const Edge& edge, const Codes& codes,
                std::span<float> out) {
  for_each_step(precision, edge, out.size(), [&](std::size_t c, std::size_t first, std::size_t n) {
    const auto step = static_cast<float>(codes.scales[c]);
    for (std::size_t i = first; i < first + n; ++i) {
      out[i] = static_cast<float>(codes.elements[i]) * step;
    }
  });
}

std::int64_t lsq_out_of_range(const Precision& precision, const Edge& edge,
                              std::span<const float> in) {
  const Range range = range_of(precision);
  std::int64_t count = 0;
  for_each_step(precision, edge, in.size(), [&](std::size_t c, std::size_t first, std::size_t n) {
    const float step = used_step(edge.state[0][c]);
    for (std::size_t i = first; i < first + n; ++i) {
      const float code = std::nearbyintf(in[i] / step);
      if (code < range.low || code > range.high) ++count;
    }
  });
  return count;
}

std::vector<std::int64_t> lsq_state_shape(const Precision& precision, const Edge& edge) {
  return {per_channel(precision) ? edge.channels() : 1};
}

double lsq_bits(const Precision& precision, const Edge& edge) {
  constexpr double kStep = 32;
  return element_bits(edge, precision.integer("width")) +
         kStep * static_cast<double>(lsq_state_shape(precision, edge)[0]);
}

// "-4*0.0625".
std::string lsq_code_text(const Precision& precision, const Edge& edge, const Codes& codes,
                          std::size_t i) {
  std::size_t at = 0;
  for_each_step(precision, edge, codes.elements.size(),
                [&](std::size_t c, std::size_t first, std::size_t n) {
                  if (i >= first && i < first + n) at = c;
                });
  return fmt::format("{}*{}", codes.elements[i], static_cast<float>(codes.scales[at]));
}

std::optional<AffineGrid> lsq_affine(const Precision& precision, const Edge& edge) {
  if (edge.state.empty()) return std::nullopt;
  const Range range = range_of(precision);
  AffineGrid grid{.steps = {}, .low = range.low, .high = range.high};
  for (const float step : edge.state[0]) grid.steps.push_back(double{used_step(step)});
  return grid;
}

void initialise_lsq(const Precision& precision, const Edge& edge, std::span<const float> in,
                    std::span<const std::span<float>> state) {
  const double root = std::sqrt(double{range_of(precision).high});
  std::vector<double> sums(state[0].size(), 0.0);
  std::vector<double> counts(state[0].size(), 0.0);
  for_each_step(precision, edge, in.size(), [&](std::size_t c, std::size_t first, std::size_t n) {
    for (std::size_t i = first; i < first + n; ++i) sums[c] += std::fabs(double{in[i]});
    counts[c] += static_cast<double>(n);
  });
  for (std::size_t c = 0; c < sums.size(); ++c) {
    const double mean = counts[c] == 0 ? 0 : sums[c] / counts[c];
    // All zeros, or nothing finite to go by: as for numbers of magnitude one.
    state[0][c] = static_cast<float>(2.0 * (mean > 0 && std::isfinite(mean) ? mean : 1.0) / root);
  }
}

std::string check_lsq(const Precision& precision) {
  if (precision.flag("is_signed") && precision.integer("width") < 2) {
    return "width 1 has no positive code with a sign; use 2 or more, or is_signed = false";
  }
  return "";
}

}  // namespace

extern const Format kLsqInteger;
const Format kLsqInteger{
    .name = "lsq_integer",
    .aliases = {"lsqinteger"},
    .summary = "integer codes of `width` bits times a step that is learned (LSQ)",
    .layer_suffix = "LSQInteger",
    .fields = {{.name = "width", .low = 1, .high = 24, .help = "bits of a code"},
               {.name = "is_signed",
                .type = FieldType::Bool,
                .standard = true,
                .help = "two's complement"},
               {.name = "granularity",
                .type = FieldType::Text,
                .standard = "tensor",
                .choices = {"tensor", "channel"},
                .help = "what shares a step"}},
    .listed = 1,
    .granularity = Granularity::Element,
    .quantise = quantise_lsq,
    .gradient = lsq_gradient,
    .encode = encode_lsq,
    .decode = decode_lsq,
    .out_of_range = lsq_out_of_range,
    .bits = lsq_bits,
    .code_text = lsq_code_text,
    .check = check_lsq,
    .affine = lsq_affine,
    .state = {{.name = "step", .help = "the value of one code"}},
    .state_shape = lsq_state_shape,
    .initialise = initialise_lsq,
};

}  // namespace mase::numerics
