// Fresh layers, initialised bit for bit as PyTorch's Linear.reset_parameters does: weights uniform
// by Kaiming's rule with a = sqrt(5) (He et al. 2015), that is within +-1/sqrt(fan_in), and biases
// within the same bound, which the two formulas round differently.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mase/ops/op.h"

namespace mase::ops {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 31;  // of one tensor: 8 GB of float32

double bound(ParameterSpec::Init init, std::int64_t fan_in) {
  const double root = std::sqrt(static_cast<double>(fan_in));
  if (init == ParameterSpec::Init::BiasUniformFanIn) return 1.0 / root;
  const double slope = std::sqrt(5.0);
  const double gain = std::sqrt(2.0 / (1.0 + slope * slope));
  return std::sqrt(3.0) * (gain / root);
}

ir::Tensor fresh(const ParameterSpec& spec, Random& random) {
  ir::Tensor tensor(spec.shape, spec.dtype);
  switch (spec.init) {
    case ParameterSpec::Init::Zeros:
      break;
    case ParameterSpec::Init::Ones:
      std::fill_n(tensor.values_mut<float>().begin(), tensor.size(), 1.0f);
      break;
    case ParameterSpec::Init::UniformFanIn:
    case ParameterSpec::Init::BiasUniformFanIn: {
      const auto limit = static_cast<float>(bound(spec.init, spec.fan_in));
      for (float& value : tensor.values_mut<float>()) value = random.uniform(-limit, limit);
      break;
    }
  }
  return tensor;
}

}  // namespace

void add_parameters(ir::Graph& graph, const Op& op, const ir::Dict& attributes,
                    std::string_view path, Random& random) {
  if (!op.parameters) return;
  for (const ParameterSpec& spec : op.parameters(attributes)) {
    if (ir::element_count(spec.shape) > kMostElements) {
      usage_error(
          fmt::format("{} {} of layer {} is too large", spec.name, ir::text(spec.shape), path));
    }
    graph.add_parameter({.name = fmt::format("{}.{}", path, spec.name),
                         .value = fresh(spec, random),
                         .is_buffer = spec.is_buffer});
  }
}

ir::Node& add_layer(ir::Graph& graph, const Op& op, const ir::Dict& attributes,
                    std::string_view path, std::string_view input, Random& random) {
  ir::Dict complete = complete_attributes(op, attributes, {.node = std::string(path)});
  add_parameters(graph, op, complete, path, random);
  return graph.add({.kind = ir::NodeKind::CallModule,
                    .op = std::string(op.name),
                    .target = std::string(path),
                    .args = {ir::NodeRef{std::string(input)}},
                    .attributes = std::move(complete)});
}

}  // namespace mase::ops
