// The list of number formats and what can be derived from their rows.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mase/numerics/format.h"
#include "mase/numerics/integer.h"
#include "mase/support/error.h"
#include "mase/support/suggest.h"

namespace mase::numerics {
namespace {

// Sorted by name; a test holds that.
constexpr std::array kFormats = {
    &kInteger,
};

}  // namespace

std::span<const Format* const> formats() {
  return kFormats;
}

const Format* find_format(std::string_view name) {
  for (const Format* format : kFormats) {
    if (format->name == name) return format;
    for (std::string_view alias : format->aliases) {
      if (alias == name) return format;
    }
  }
  return nullptr;
}

std::string_view name(Rounding rounding) {
  switch (rounding) {
    case Rounding::NearestEven:
      return "nearest_even";
    case Rounding::NearestAway:
      return "nearest_away";
    case Rounding::TowardZero:
      return "toward_zero";
    case Rounding::Down:
      return "down";
    case Rounding::Up:
      return "up";
  }
  return "";
}

std::string_view name(Overflow overflow) {
  return overflow == Overflow::Saturate ? "saturate" : "wrap";
}

std::string_view Precision::type() const {
  return format ? format->name : "float";
}

std::vector<std::optional<std::int64_t>> Precision::list() const {
  if (!format) return {32};
  std::vector<std::optional<std::int64_t>> out;
  for (std::size_t i = 0; i < format->listed; ++i) {
    const auto found = values.find(format->parameters[i].name);
    out.push_back(found == values.end() ? std::nullopt : std::optional(found->second));
  }
  return out;
}

std::string Precision::text() const {
  if (!format) return "float";
  std::string text = fmt::format("{}(", format->name);
  bool first = true;
  for (const std::optional<std::int64_t>& value : list()) {
    if (!first) text += ", ";
    text += value ? fmt::format("{}", *value) : "NA";
    first = false;
  }
  return text + ")";
}

Precision make_precision(const Format& format, Values values) {
  std::vector<std::string> known;
  for (const Parameter& parameter : format.parameters) known.emplace_back(parameter.name);
  for (const auto& [key, value] : values) {
    const auto row = std::find_if(format.parameters.begin(), format.parameters.end(),
                                  [&name = key](const Parameter& p) { return p.name == name; });
    if (row == format.parameters.end()) {
      usage_error(fmt::format("format '{}' has no parameter '{}'", format.name, key), {},
                  did_you_mean(key, known));
    }
    if (value < row->low || value > row->high) {
      usage_error(fmt::format("{} = {} is out of range for format '{}': {} to {}", key, value,
                              format.name, row->low, row->high));
    }
  }
  Precision precision{.format = &format, .values = std::move(values)};
  for (const Parameter& parameter : format.parameters) {
    if (precision.values.contains(parameter.name)) continue;
    if (parameter.standard) {
      precision.values.emplace(parameter.name, *parameter.standard);
    } else if (!parameter.optional) {
      usage_error(fmt::format("format '{}' needs the parameter '{}' ({} to {})", format.name,
                              parameter.name, parameter.low, parameter.high));
    }
  }
  const std::string wrong = format.check ? format.check(precision) : "";
  if (!wrong.empty()) usage_error(wrong);
  return precision;
}

void quantise(const Precision& precision, const Layout& layout, std::span<const float> in,
              std::span<float> out) {
  if (precision.is_float()) {
    std::copy(in.begin(), in.end(), out.begin());
    return;
  }
  precision.format->quantise(precision, layout, in, out);
}

Codes encode(const Precision& precision, const Layout& layout, std::span<const float> in) {
  if (precision.is_float()) internal_error("float values have no integer codes");
  return precision.format->encode(precision, layout, in);
}

void decode(const Precision& precision, const Layout& layout, const Codes& codes,
            std::span<float> out) {
  if (precision.is_float()) internal_error("float values have no integer codes");
  precision.format->decode(precision, layout, codes, out);
}

std::int64_t out_of_range(const Precision& precision, const Layout& layout,
                          std::span<const float> in) {
  if (precision.is_float() || !precision.format->out_of_range) return 0;
  return precision.format->out_of_range(precision, layout, in);
}

double bits_per_element(const Precision& precision) {
  return precision.is_float() ? 32.0 : precision.format->bits_per_element(precision);
}

}  // namespace mase::numerics
