#pragma once

#include <cstddef>
#include <vector>

#include "mase/numerics/format.h"

// Precisions and edges of any listed format, for tests that iterate over all of them.
namespace mase::numerics::test {

// Combinations of the fields' defaults, choices and small numbers that the format takes: from 4 to
// 12 bits, every choice, several block sizes.
inline std::vector<Precision> some_precisions(const Format& format) {
  std::vector<Values> all{{}};
  const auto vary = [&](const Field& field, const std::vector<FieldValue>& options) {
    std::vector<Values> next;
    for (const Values& values : all) {
      for (const FieldValue& option : options) {
        Values more = values;
        more[std::string(field.name)] = option;
        next.push_back(std::move(more));
      }
    }
    all = std::move(next);
  };
  for (const Field& field : format.fields) {
    if (!field.choices.empty()) {
      vary(field, {field.choices.begin(), field.choices.end()});
    } else if (field.type == FieldType::List) {
      vary(field, {FieldValue::List{16}, FieldValue::List{1, 4}, FieldValue::List{-1, 7}});
    } else if (field.name == "width") {
      vary(field, {6, 8, 12});
    } else if (field.must_be_given()) {
      vary(field, {4, 3});
    }
  }
  std::vector<Precision> out;
  for (Values& values : all) out.push_back(make_precision(format, std::move(values)));
  return out;
}

inline std::vector<std::vector<std::int64_t>> some_shapes() {
  return {{1}, {7}, {3, 16}, {5, 33}, {2, 3, 9}, {2, 3, 4, 5}};
}

// An edge with the state that the format makes of numbers of this size.
struct BoundEdge {
  BoundEdge(const Precision& precision, Edge plain, float scale) : edge(std::move(plain)) {
    if (!has_state(precision)) return;
    std::size_t count = 1;
    for (const std::int64_t size : precision.format->state_shape(precision, edge)) {
      count *= static_cast<std::size_t>(size);
    }
    values.assign(precision.format->state.size(), std::vector<float>(count, 0.0f));
    std::vector<std::span<float>> to;
    for (std::vector<float>& v : values) to.emplace_back(v);
    const std::vector<float> seen(static_cast<std::size_t>(edge.elements()), scale);
    precision.format->initialise(precision, edge, seen, to);
    for (const std::vector<float>& v : values) spans.emplace_back(v);
    edge.state = spans;
  }
  BoundEdge(const BoundEdge&) = delete;

  std::vector<std::vector<float>> values;
  std::vector<std::span<const float>> spans;
  Edge edge;
};

}  // namespace mase::numerics::test
