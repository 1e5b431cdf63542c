#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>

#include "mase/data/dataset.h"

// Jet tables as CSV text, to try out what a user's own file may hold.
namespace mase::data {

// `value(row, name)` fills the columns; by default features are distinct and classes take turns.
inline std::string jets_csv(
    std::int64_t rows,
    const std::function<std::string(std::int64_t, const std::string&)>& value = {}) {
  const Info jets = info("jsc");
  std::string out = "index";
  for (const auto& name : jets.feature_names) out += "," + name;
  for (const auto& name : jets.class_names) out += "," + name;
  for (std::int64_t row = 0; row < rows; ++row) {
    out += fmt::format("\n{}", row);
    for (std::size_t f = 0; f < jets.feature_names.size(); ++f) {
      std::string text = value ? value(row, jets.feature_names[f]) : "";
      out += "," + (text.empty() ? fmt::format("{}", 0.5 * double(row) + double(f)) : text);
    }
    for (std::int64_t c = 0; c < jets.num_classes; ++c) {
      std::string text = value ? value(row, jets.class_names[static_cast<std::size_t>(c)]) : "";
      out += "," + (text.empty() ? (row % jets.num_classes == c ? "1" : "0") : text);
    }
  }
  return out + "\n";
}

}  // namespace mase::data
