#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/engine/networks.h"

// Random quantised networks for the tests of integer evaluation: every kind of layer around the
// linear ones, formats of 2 to 16 bits, parameters from far below to far above their grids.
namespace mase::engine::test {

struct IntegerCase {
  ir::Graph graph;
  std::int64_t features = 1;
  std::int64_t classes = 1;
  std::string text;
};

inline int between(Random& random, int low, int high) {
  return low + static_cast<int>(random.up_to(static_cast<std::uint32_t>(high - low)));
}

inline numerics::Precision random_format(Random& random, bool may_be_unsigned) {
  // Half of the formats are the 8 bits that users take, the others anything.
  const bool usual = random.up_to(1) == 0;
  const int width = usual ? 8 : between(random, 2, 16);
  const int frac = usual ? between(random, 2, 6) : between(random, -2, 12);
  return numerics::integer(width, frac, !(may_be_unsigned && random.up_to(2) == 0));
}

inline IntegerCase random_integer_case(std::uint64_t seed) {
  Random random(seed);
  IntegerCase out;
  out.features = between(random, 1, 40);
  std::vector<std::string> layers;
  std::int64_t width = out.features;
  const auto pointwise = [&] {
    if (random.up_to(1) == 0) layers.push_back(fmt::format("BatchNorm1d({})", width));
    const char* const activations[] = {"ReLU()",    "ReLU()", "ReLU6()", "Hardtanh(-1.5, 2.25)",
                                       "Sigmoid()", "Tanh()", ""};
    const std::string activation = activations[random.up_to(6)];
    if (!activation.empty()) layers.push_back(activation);
  };
  pointwise();
  const int depth = between(random, 1, 3);
  for (int i = 0; i < depth; ++i) {
    const int next = between(random, 1, 20);
    const bool bias = random.up_to(3) != 0;
    layers.push_back(fmt::format("Linear({}, {}{})", width, next, bias ? "" : ", bias=False"));
    width = next;
    if (i + 1 < depth || random.up_to(1) == 0) pointwise();
  }
  out.classes = width;
  out.graph = typed(sequence(layers, seed), {out.features});
  for (ir::Node& node : out.graph.nodes_mut()) {
    const bool linear = node.op == "linear";
    const bool relu = node.op == "relu" && random.up_to(3) == 0;
    if (!linear && !relu) continue;
    node.precision.emplace_back("data_in_0", random_format(random, true));
    if (!linear) continue;
    node.precision.emplace_back("weight", random_format(random, false));
    node.precision.emplace_back("bias", random_format(random, false));
  }
  for (const std::string& layer : layers) out.text += layer + " ";
  for (const ir::Node& node : out.graph) {
    for (const auto& [argument, precision] : node.precision) {
      const bool is_signed = precision.values.at("is_signed") != 0;
      out.text += fmt::format("{}{} ", precision.text(), is_signed ? "" : "u");
    }
  }
  return out;
}

// Parameters of all sizes, running statistics that are not 0 and 1.
inline ir::State random_state(const ir::Graph& graph, std::uint64_t seed) {
  Random random(seed);
  ir::State state = graph.state();
  for (auto& [name, value] : state) {
    if (value.dtype() != ir::DType::Float32) continue;
    const float reach = std::ldexp(1.0f, between(random, -3, 3));
    const bool variance = name.ends_with("running_var");
    for (float& v : value.values_mut<float>()) {
      v = variance ? random.uniform(0.01f, reach) : random.uniform(-reach, reach);
    }
  }
  return state;
}

// Rows of all sizes; with `strange`, some entries are NaN, infinite or beyond every grid.
inline ir::Tensor random_rows(std::int64_t rows, std::int64_t features, std::uint64_t seed,
                              bool strange) {
  Random random(seed);
  const float reach = std::ldexp(1.0f, between(random, -2, 6));
  ir::Tensor out = random_tensor({rows, features}, seed + 1, -reach, reach);
  if (!strange) return out;
  const float odd[] = {std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity(),
                       3e38f,
                       -1e12f,
                       1e-40f,
                       -0.0f};
  auto values = out.values_mut<float>();
  for (int i = 0; i < 6; ++i) {
    values[random.up_to(static_cast<std::uint32_t>(values.size() - 1))] = odd[random.up_to(6)];
  }
  return out;
}

}  // namespace mase::engine::test
