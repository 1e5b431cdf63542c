// Precisions and edges: what can be said of them without knowing the format.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "mase/numerics/format.h"
#include "mase/support/error.h"
#include "mase/support/suggest.h"

namespace mase::numerics {
namespace {

const FieldValue& value_of(const Precision& precision, std::string_view name) {
  const auto found = precision.values.find(name);
  if (found == precision.values.end()) {
    internal_error(fmt::format("format '{}' has no parameter '{}'", precision.type(), name));
  }
  return found->second;
}

template <typename T>
const T& as(const Precision& precision, std::string_view name) {
  const T* value = value_of(precision, name).get<T>();
  if (!value) internal_error(fmt::format("parameter '{}' is of another kind", name));
  return *value;
}

std::int64_t product(std::span<const std::int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

std::string_view Precision::type() const {
  if (!format) return "float";
  return alias.empty() ? format->name : alias;
}

std::int64_t Precision::integer(std::string_view name) const {
  return as<std::int64_t>(*this, name);
}

bool Precision::flag(std::string_view name) const {
  return as<bool>(*this, name);
}

std::string_view Precision::text(std::string_view name) const {
  return as<std::string>(*this, name);
}

std::optional<std::int64_t> Precision::integer_if(std::string_view name) const {
  const auto* value = value_of(*this, name).get<std::int64_t>();
  return value ? std::optional(*value) : std::nullopt;
}

std::vector<std::int64_t> Precision::integers(std::string_view name) const {
  std::vector<std::int64_t> out;
  for (const FieldValue& item : as<FieldValue::List>(*this, name)) {
    out.push_back(*item.get<std::int64_t>());
  }
  return out;
}

FieldValue::List Precision::list() const {
  if (!format) return {32};
  FieldValue::List out;
  for (std::size_t i = 0; i < format->listed; ++i) {
    out.push_back(value_of(*this, format->fields[i].name));
  }
  return out;
}

std::string Precision::text() const {
  if (!format) return "float";
  std::vector<std::string> items;
  for (const FieldValue& value : list()) {
    items.push_back(value.is_none() ? "NA" : repr(value));
  }
  return fmt::format("{}({})", format->name, fmt::join(items, ", "));
}

std::string Precision::full_text() const {
  if (!format) return "float";
  std::vector<std::string> items;
  for (const Field& field : format->fields) {
    items.push_back(fmt::format("{}={}", field.name, repr(value_of(*this, field.name))));
  }
  return fmt::format("{}({})", format->name, fmt::join(items, ", "));
}

std::int64_t Edge::elements() const {
  return product(shape);
}

std::int64_t Edge::channels() const {
  const auto axis = static_cast<std::size_t>(channel_axis);
  return axis < shape.size() ? shape[axis] : 1;
}

std::int64_t Edge::elements_per_sample() const {
  return product(std::span(shape).subspan(samples_first ? 1 : 0));
}

double element_bits(const Edge& edge, std::int64_t bits_each) {
  return static_cast<double>(edge.elements()) * static_cast<double>(bits_each);
}

Edge parameter_edge(std::vector<std::int64_t> shape) {
  return {.shape = std::move(shape)};
}

Edge data_edge(std::vector<std::int64_t> shape) {
  const bool several = shape.size() > 1;
  return {.shape = std::move(shape), .samples_first = several, .channel_axis = several ? 1 : 0};
}

std::optional<double> AffineGrid::binary_step() const {
  int exponent = 0;
  const bool plain = steps.size() == 1 && zero == 0 && rounding == Rounding::NearestEven &&
                     overflow == Overflow::Saturate;
  if (!plain || std::frexp(steps[0], &exponent) != 0.5) return std::nullopt;
  return steps[0];
}

Precision make_precision(const Format& format, Values values) {
  for (auto& [key, value] : values) {
    const Field* field = find_field(format.fields, key);
    if (!field) {
      usage_error(fmt::format("format '{}' has no parameter '{}'", format.name, key), {},
                  did_you_mean(key, field_names(format.fields)));
    }
    auto fit = fitted(*field, value);
    if (!fit) usage_error(fmt::format("format '{}': {}", format.name, problem(*field, value)));
    value = std::move(*fit);
  }
  Precision precision{.format = &format, .values = std::move(values)};
  for (const Field& field : format.fields) {
    if (precision.values.contains(field.name)) continue;
    if (field.must_be_given()) {
      usage_error(fmt::format("format '{}' needs the parameter '{}': {}", format.name, field.name,
                              wanted(field)));
    }
    precision.values.emplace(field.name, *fitted(field, *field.standard));
  }
  const std::string wrong = format.check ? format.check(precision) : "";
  if (!wrong.empty()) usage_error(fmt::format("format '{}': {}", format.name, wrong));
  return precision;
}

Precision make_precision(std::string_view name, Values values) {
  const Format* format = find_format(name);
  if (!format) {
    usage_error(fmt::format("unknown number format '{}'", name), {},
                did_you_mean(name, format_names()));
  }
  Precision precision = make_precision(*format, std::move(values));
  for (const std::string_view alias : format->aliases) {
    if (alias == name) precision.alias = alias;
  }
  return precision;
}

void quantise(const Precision& precision, const Edge& edge, std::span<const float> in,
              std::span<float> out) {
  if (precision.is_float()) {
    std::copy(in.begin(), in.end(), out.begin());
    return;
  }
  precision.format->quantise(precision, edge, in, out);
}

Codes encode(const Precision& precision, const Edge& edge, std::span<const float> in) {
  if (precision.is_float()) internal_error("float values have no integer codes");
  return precision.format->encode(precision, edge, in);
}

void decode(const Precision& precision, const Edge& edge, const Codes& codes,
            std::span<float> out) {
  if (precision.is_float()) internal_error("float values have no integer codes");
  precision.format->decode(precision, edge, codes, out);
}

std::int64_t out_of_range(const Precision& precision, const Edge& edge, std::span<const float> in) {
  if (precision.is_float() || !precision.format->out_of_range) return 0;
  return precision.format->out_of_range(precision, edge, in);
}

double bits(const Precision& precision, const Edge& edge) {
  return precision.is_float() ? element_bits(edge, 32) : precision.format->bits(precision, edge);
}

double bits_per_element(const Precision& precision, const Edge& edge) {
  const std::int64_t count = edge.elements();
  return count == 0 ? 0 : bits(precision, edge) / static_cast<double>(count);
}

std::optional<AffineGrid> affine(const Precision& precision, const Edge& edge) {
  if (precision.is_float() || !precision.format->affine) return std::nullopt;
  return precision.format->affine(precision, edge);
}

bool has_state(const Precision& precision) {
  return !precision.is_float() && !precision.format->state.empty();
}

}  // namespace mase::numerics
