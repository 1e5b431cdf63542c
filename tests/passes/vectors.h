#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "mase/io/arrays/npz.h"
#include "mase/ir/value.h"
#include "tests/shared_data.h"

// Test vectors that were computed by the original, read from the shared data.
namespace mase::passes {

inline constexpr const char* kVectors = "mase_runs/vectors/passes.json";

inline nlohmann::ordered_json read_vectors() {
  std::ifstream file(shared_data() / kVectors);
  return nlohmann::ordered_json::parse(file);
}

inline io::NpzReader open_vector_arrays() {
  return io::NpzReader::open(shared_data() / "mase_runs/vectors/passes.npz").or_throw();
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A flat list of the numbers in nested lists; "nan", "inf", "-inf" are texts in the vectors.
inline void flatten(const nlohmann::ordered_json& json, std::vector<double>& out) {
  if (json.is_array()) {
    for (const auto& item : json) flatten(item, out);
  } else if (json.is_string()) {
    out.push_back(std::stod(json.get<std::string>()));
  } else {
    out.push_back(json.get<double>());
  }
}

// Loads arrays `<prefix><name>` of an archive into the parameters of a graph.
inline void load_state(ir::Graph& graph, const io::NpzReader& arrays, const std::string& prefix) {
  for (ir::Parameter& parameter : graph.parameters_mut()) {
    parameter.value = arrays.read(prefix + parameter.name).or_throw().to(parameter.value.dtype());
  }
}

}  // namespace mase::passes
