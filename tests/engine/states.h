#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "mase/engine/engine.h"
#include "tests/engine/networks.h"

namespace mase::engine::test {

// An array of a file by its name.
inline const ir::Tensor& array(const ir::State& arrays, const std::string& name) {
  const ir::Tensor* found = ir::find(arrays, name);
  if (!found) throw std::runtime_error("no array " + name);
  return *found;
}

// The largest difference of two states.
inline double distance(const ir::State& a, const ir::State& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::int64_t k = 0; k < a[i].second.size(); ++k) {
      worst = std::max(worst, std::abs(a[i].second.at(k) - b[i].second.at(k)));
    }
  }
  return worst;
}

inline Batch batch_of(const Data& data, std::span<const std::uint32_t> rows) {
  return {.features = &data.features, .labels = &data.labels, .rows = rows, .next_rows = {}};
}

}  // namespace mase::engine::test
