#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "mase/ir/value.h"

namespace mase::engine::test {

// A layer's constructor argument as the files of the original's vectors spell it.
inline ir::Value attribute(const nlohmann::json& value) {
  if (value.is_array()) {
    ir::Tuple tuple;
    for (const auto& item : value) tuple.items.push_back(attribute(item));
    return tuple;
  }
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_string()) return value.get<std::string>();
  return value.get<std::int64_t>();
}

}  // namespace mase::engine::test
