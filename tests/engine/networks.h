#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/numerics/format.h"
#include "mase/ops/op.h"
#include "mase/support/random.h"

// Small networks and batches for the tests of engines.
namespace mase::engine::test {

inline ir::Graph with_input() {
  ir::Graph graph("net", "Net");
  graph.add({.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  return graph;
}

inline void finish(ir::Graph& graph, const std::string& result) {
  graph.add({.name = "output",
             .kind = ir::NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {ir::NodeRef{result}}});
}

// The graph with its input typed: what one sample looks like.
inline ir::Graph typed(ir::Graph graph, ir::Shape sample) {
  graph.node("x").type = ir::TensorType{std::move(sample), ir::DType::Float32};
  return graph;
}

// Layers as PyTorch prints them, one after the other: seq_blocks.0, seq_blocks.1, ... The input is
// typed where the first layer tells how many features it reads.
inline ir::Graph sequence(const std::vector<std::string>& layers, std::uint64_t seed = 0) {
  ir::Graph graph = with_input();
  Random random(seed);
  std::string last = "x";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ops::LayerText layer = ops::parse_layer(layers[i]);
    last = ops::add_layer(graph, *layer.op, layer.attributes, fmt::format("seq_blocks.{}", i), last,
                          random)
               .name;
  }
  finish(graph, last);
  const ir::Node& first = graph.nodes().at(1);
  for (std::string_view key : {"in_features", "num_features"}) {
    const ir::Value* features = first.attribute(key);
    if (features && !first.op.ends_with("2d")) return typed(std::move(graph), {features->as_int()});
  }
  return graph;
}

// The network of MASE's tutorials for jets (327 parameters).
inline ir::Graph jsc_toy(std::uint64_t seed = 0) {
  return sequence({"BatchNorm1d(16)", "ReLU(inplace=True)", "Linear(16, 8)", "BatchNorm1d(8)",
                   "ReLU(inplace=True)", "Linear(8, 8)", "BatchNorm1d(8)", "ReLU(inplace=True)",
                   "Linear(8, 5)", "BatchNorm1d(5)", "ReLU(inplace=True)"},
                  seed);
}

// Puts integer formats on every node of the op, as the quantise pass does.
inline ir::Graph quantised(ir::Graph graph, std::string_view op, int width, int frac_width) {
  for (ir::Node& node : graph.nodes_mut()) {
    if (node.op != op) continue;
    const ops::Op& row = ops::op_of(node);
    for (std::string_view argument : row.quantisable) {
      const bool is_data = argument.starts_with("data_in");
      node.precision.emplace_back(
          argument, numerics::integer(width, frac_width, !(is_data && row.unsigned_input)));
    }
  }
  return graph;
}

inline ir::Tensor random_tensor(ir::Shape shape, std::uint64_t seed, float low = -1,
                                float high = 1) {
  Random random(seed);
  ir::Tensor out(std::move(shape), ir::DType::Float32);
  for (float& v : out.values_mut<float>()) v = random.uniform(low, high);
  return out;
}

// Rows around one centre per class: something a network can learn.
struct Data {
  ir::Tensor features;
  ir::Tensor labels;
};
inline Data classes(std::int64_t rows, std::int64_t features = 16, std::int64_t count = 5) {
  Random random(11);
  Data out{.features = ir::Tensor({rows, features}, ir::DType::Float32),
           .labels = ir::Tensor({rows}, ir::DType::Int64)};
  auto x = out.features.values_mut<float>();
  auto y = out.labels.values_mut<std::int64_t>();
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t label = random.up_to(static_cast<std::uint32_t>(count - 1));
    y[static_cast<std::size_t>(i)] = label;
    for (std::int64_t k = 0; k < features; ++k) {
      const float centre = k % count == label ? 1.0f : 0.0f;
      x[static_cast<std::size_t>(i * features + k)] = centre + random.uniform(-1, 1);
    }
  }
  return out;
}

inline std::vector<std::uint32_t> range(std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> rows(count);
  for (std::uint32_t i = 0; i < count; ++i) rows[i] = first + i;
  return rows;
}

}  // namespace mase::engine::test
