// The networks that are measured, as graphs and as plain chains of layers.
#include "bench/networks.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/models/builder.h"
#include "mase/models/model.h"
#include "mase/ops/op.h"
#include "mase/passes/transform/quantize.h"
#include "mase/support/error.h"
#include "mase/support/random.h"

namespace mase::bench {
namespace {

std::int64_t number(const ir::Node& node, std::string_view attribute, std::int64_t standard) {
  const ir::Value* value = node.attribute(attribute);
  if (!value) return standard;
  if (const auto* pair = value->get<ir::Tuple>()) value = &pair->items.at(0);
  return value->is_none() ? standard : value->as_int();
}

// Calls without work (sizes, views) are left out; a view that flattens shows as "flatten".
std::vector<Layer> layers_of(const ir::Graph& graph) {
  const auto types = ops::infer_types(graph, 2);
  std::vector<Layer> layers;
  for (const ir::Node& node : graph) {
    const ops::ValueType* type = ir::find(types, node.name);
    const auto* tensor = type ? std::get_if<ops::TensorType>(type) : nullptr;
    if (!tensor || node.kind == ir::NodeKind::Placeholder || node.kind == ir::NodeKind::Output) {
      continue;
    }
    Layer layer{.op = node.op};
    layer.op = node.op == "view" || node.op == "reshape" ? "flatten" : node.op;
    layer.in = number(node, "in_features", number(node, "in_channels", 0));
    layer.in = number(node, "num_features", layer.in);
    layer.out = number(node, "out_features", number(node, "out_channels", layer.in));
    layer.kernel = number(node, "kernel_size", 1);
    layer.stride = number(node, "stride", node.op.ends_with("pool2d") ? layer.kernel : 1);
    layer.padding = number(node, "padding", 0);
    layer.shape.assign(tensor->shape.begin() + 1, tensor->shape.end());
    layers.push_back(std::move(layer));
  }
  return layers;
}

Network finish(std::string name, ir::Graph graph, ir::Shape sample) {
  Network out{.name = std::move(name), .graph = std::move(graph), .sample = std::move(sample)};
  out.graph.node(out.graph.placeholders().at(0)).type = ir::TensorType{out.sample};
  out.layers = layers_of(out.graph);
  out.classes = out.layers.back().shape.at(0);
  return out;
}

Network jet_network(const std::string& name, const std::vector<std::string>& texts) {
  return finish(name, models::Builder(name, "Bench", 0).layers("seq_blocks", texts).finish(), {16});
}

Network jsc_toy() {
  return finish("jsc-toy", models::build("jsc-toy", data::info("jsc")), {16});
}

Network jsc_s_like() {
  return jet_network(
      "jsc-s-like",
      {"BatchNorm1d(16)", "ReLU()", "Linear(16, 64)", "BatchNorm1d(64)", "ReLU()", "Linear(64, 32)",
       "BatchNorm1d(32)", "ReLU()", "Linear(32, 32)", "BatchNorm1d(32)", "ReLU()", "Linear(32, 32)",
       "BatchNorm1d(32)", "ReLU()", "Linear(32, 5)", "BatchNorm1d(5)", "ReLU()"});
}

Network perceptron() {
  return jet_network("mlp", {"Linear(16, 64)", "ReLU()", "Linear(64, 32)", "ReLU()",
                             "Linear(32, 32)", "ReLU()", "Linear(32, 5)"});
}

}  // namespace

std::vector<Network> networks() {
  std::vector<Network> out{jsc_toy(), jsc_s_like(), perceptron()};
  if (models::find_model("lenet5")) {
    out.push_back(finish("lenet5", models::build("lenet5", data::info("mnist")), {1, 28, 28}));
  }
  return out;
}

Network network(const std::string& name) {
  for (Network& candidate : networks()) {
    if (candidate.name == name) return std::move(candidate);
  }
  usage_error(fmt::format("there is no network '{}' among those that are measured", name));
}

ir::Graph quantised(const ir::Graph& graph) {
  const numerics::Precision format = numerics::integer(8, 4);
  passes::QuantizeOptions options;
  options.rules.emplace_back("linear", format);
  options.rules.emplace_back("conv2d", format, true);
  return passes::quantize(graph, options);
}

Rows make_rows(const Network& network, std::int64_t count) {
  ir::Shape shape = network.sample;
  shape.insert(shape.begin(), count);
  Rows rows{.features = ir::Tensor(shape, ir::DType::Float32),
            .labels = ir::Tensor({count}, ir::DType::Int64)};
  Random random(1);
  const auto features = rows.features.values_mut<float>();
  for (float& value : features) value = random.uniform(-2, 2);
  // The class is the largest of the first features.
  const auto labels = rows.labels.values_mut<std::int64_t>();
  const std::size_t width = features.size() / labels.size();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const float* row = features.data() + i * width;
    labels[i] = std::max_element(row, row + network.classes) - row;
  }
  rows.order = random.permutation(static_cast<std::uint32_t>(count));
  return rows;
}

}  // namespace mase::bench
