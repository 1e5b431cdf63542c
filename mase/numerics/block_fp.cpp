// Block floating point (MSFP, as MASE has it): the elements of a block share an exponent, and each
// is a sign and m = width - 1 bits of mantissa without a leading one. With M the largest magnitude
// of the block, e bits of exponent and bias b,
//   E = clamp(ceil(log2 M), -b, 2^e - 1 - b),   q = sign(x) 2^E k / 2^m,
//   k = clamp(rne(|x| / 2^E 2^m), 0, 2^m - 1).
// So the largest of a block may lose up to a step. A block of zeros has the smallest exponent;
// those whose steps float32 cannot hold are not used. What is too large saturates; NaN stays NaN
// and does not count.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mase/numerics/blocks.h"

namespace mase::numerics {
namespace {

constexpr int kSmallestStep = -149;    // of float32: 2^-149
constexpr int kLargestExponent = 128;  // 2^128 (1 - 2^-24) is its largest

struct Parameters {
  int mantissa_bits;
  int smallest_exponent;
  int largest_exponent;
};

Parameters parameters_of(const Precision& precision) {
  const auto exponent = static_cast<int>(precision.integer("exponent_width"));
  const int standard = (1 << (exponent - 1)) - 1;
  const int bias = static_cast<int>(precision.integer_if("exponent_bias").value_or(standard));
  const int mantissa = static_cast<int>(precision.integer("width")) - 1;
  return {.mantissa_bits = mantissa,
          .smallest_exponent = std::max(-bias, kSmallestStep + mantissa),
          .largest_exponent = (1 << exponent) - 1 - bias};
}

int ceil_log2(float magnitude) {
  int exponent = 0;
  const float fraction = std::frexp(magnitude, &exponent);  // in [1/2, 1)
  return fraction == 0.5f ? exponent - 1 : exponent;
}

Blocks cut(const Precision& precision, const Edge& edge) {
  return blocks_of(edge, precision.integers("block_size"));
}

// The exponent of every block.
std::vector<int> exponents_of(const Blocks& blocks, const Parameters& p,
                              std::span<const float> in) {
  std::vector<float> largest(static_cast<std::size_t>(blocks.count()), 0.0f);
  for_each_run(blocks, [&](std::int64_t block, std::int64_t first, std::int64_t size) {
    float& most = largest[static_cast<std::size_t>(block)];
    for (std::int64_t i = first; i < first + size; ++i) {
      const float magnitude = std::fabs(in[static_cast<std::size_t>(i)]);
      if (magnitude > most) most = magnitude;  // not for NaN
    }
  });
  std::vector<int> exponents;
  exponents.reserve(largest.size());
  for (const float most : largest) {
    const int wanted = std::isinf(most) ? p.largest_exponent
                       : most == 0      ? p.smallest_exponent
                                        : ceil_log2(most);
    exponents.push_back(std::clamp(wanted, p.smallest_exponent, p.largest_exponent));
  }
  return exponents;
}

// The mantissa with its sign; 0 for NaN.
double mantissa_of(float x, int exponent, int bits) {
  if (std::isnan(x)) return 0;
  const double last = power_of_two(bits) - 1.0;
  const double k = std::nearbyint(static_cast<double>(x) * power_of_two(bits - exponent));
  return std::clamp(k, -last, last);
}

void quantise_block_fp(const Precision& precision, const Edge& edge, std::span<const float> in,
                       std::span<float> out) {
  const Parameters p = parameters_of(precision);
  const Blocks blocks = cut(precision, edge);
  const std::vector<int> exponents = exponents_of(blocks, p, in);
  for_each_run(blocks, [&](std::int64_t block, std::int64_t first, std::int64_t size) {
    const int exponent = exponents[static_cast<std::size_t>(block)];
    const double to_code = power_of_two(p.mantissa_bits - exponent);
    const double step = power_of_two(exponent - p.mantissa_bits);
    const double last = power_of_two(p.mantissa_bits) - 1.0;
    for (std::int64_t n = first; n < first + size; ++n) {
      const auto i = static_cast<std::size_t>(n);
      const double k = std::nearbyint(static_cast<double>(in[i]) * to_code);
      const double kept = k < -last ? -last : (k > last ? last : k);  // NaN stays NaN
      out[i] = static_cast<float>(kept * step);
    }
  });
}

Codes encode_block_fp(const Precision& precision, const Edge& edge, std::span<const float> in) {
  const Parameters p = parameters_of(precision);
  const Blocks blocks = cut(precision, edge);
  const std::vector<int> exponents = exponents_of(blocks, p, in);
  Codes codes{.elements = std::vector<std::int64_t>(in.size())};
  codes.exponents.assign(exponents.begin(), exponents.end());
  for_each_run(blocks, [&](std::int64_t block, std::int64_t first, std::int64_t size) {
    const int exponent = exponents[static_cast<std::size_t>(block)];
    for (std::int64_t n = first; n < first + size; ++n) {
      const auto i = static_cast<std::size_t>(n);
      codes.elements[i] = static_cast<std::int64_t>(mantissa_of(in[i], exponent, p.mantissa_bits));
    }
  });
  return codes;
}

void decode_block_fp(const Precision& precision, const Edge& edge, const Codes& codes,
                     std::span<float> out) {
  const Parameters p = parameters_of(precision);
  for_each_run(
      cut(precision, edge), [&](std::int64_t block, std::int64_t first, std::int64_t size) {
        const auto exponent = static_cast<int>(codes.exponents[static_cast<std::size_t>(block)]);
        for (std::int64_t n = first; n < first + size; ++n) {
          const auto i = static_cast<std::size_t>(n);
          out[i] = static_cast<float>(static_cast<double>(codes.elements[i]) *
                                      power_of_two(exponent - p.mantissa_bits));
        }
      });
}

std::int64_t block_fp_out_of_range(const Precision& precision, const Edge& edge,
                                   std::span<const float> in) {
  const Parameters p = parameters_of(precision);
  const Blocks blocks = cut(precision, edge);
  const std::vector<int> exponents = exponents_of(blocks, p, in);
  const double last = power_of_two(p.mantissa_bits) - 1.0;
  std::int64_t count = 0;
  for_each_run(blocks, [&](std::int64_t block, std::int64_t first, std::int64_t size) {
    const double to_code =
        power_of_two(p.mantissa_bits - exponents[static_cast<std::size_t>(block)]);
    for (std::int64_t n = first; n < first + size; ++n) {
      const double v = static_cast<double>(in[static_cast<std::size_t>(n)]) * to_code;
      if (std::fabs(std::nearbyint(v)) > last) ++count;
    }
  });
  return count;
}

double block_fp_bits(const Precision& precision, const Edge& edge) {
  const auto shared = static_cast<double>(precision.integer("exponent_width"));
  return element_bits(edge, precision.integer("width")) +
         static_cast<double>(cut(precision, edge).count()) * shared;
}

// "-1365/2048*2^3".
std::string block_fp_code_text(const Precision& precision, const Edge& edge, const Codes& codes,
                               std::size_t i) {
  const auto block =
      static_cast<std::size_t>(cut(precision, edge).block_of(static_cast<std::int64_t>(i)));
  return fmt::format("{}/{}*2^{}", codes.elements[i],
                     std::int64_t{1} << parameters_of(precision).mantissa_bits,
                     codes.exponents[block]);
}

std::string check_block_fp(const Precision& precision) {
  for (const std::int64_t size : precision.integers("block_size")) {
    if (size == 0) return "block_size 0: give the elements of a block, or -1 for all of them";
  }
  if (precision.integers("block_size").empty()) return "block_size needs an entry";
  const Parameters p = parameters_of(precision);
  if (p.largest_exponent > kLargestExponent || p.largest_exponent < p.smallest_exponent) {
    return fmt::format("exponents up to {} with {} bits of mantissa go beyond float32",
                       p.largest_exponent, p.mantissa_bits);
  }
  return "";
}

}  // namespace

extern const Format kBlockFp;
const Format kBlockFp{
    .name = "block_fp",
    .aliases = {},
    .summary =
        "block floating point (MSFP): a block of elements shares an exponent; each element "
        "has a sign and `width` - 1 bits of mantissa",
    .layer_suffix = "BlockFP",
    .fields = {{.name = "width", .low = 2, .high = 24, .help = "bits of an element with its sign"},
               {.name = "exponent_width",
                .standard = 8,
                .low = 1,
                .high = 8,
                .help = "bits of the shared exponent"},
               {.name = "exponent_bias",
                .standard = FieldValue(),
                .low = -256,
                .high = 256,
                .help = "what is subtracted from an exponent's code; 2^(exponent_width - 1) - 1 if "
                        "left out"},
               {.name = "block_size",
                .type = FieldType::List,
                .standard = FieldValue::List{16},
                .low = -1,
                .high = 1 << 24,
                .help = "elements that share an exponent, by dimension from the right: [16], "
                        "[1, 16]; -1 = all of a dimension"}},
    .listed = 4,
    .granularity = Granularity::Block,
    .quantise = quantise_block_fp,
    .encode = encode_block_fp,
    .decode = decode_block_fp,
    .out_of_range = block_fp_out_of_range,
    .bits = block_fp_bits,
    .code_text = block_fp_code_text,
    .check = check_block_fp,
};

}  // namespace mase::numerics
