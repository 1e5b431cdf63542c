// One node as a graph of its own: placeholders for what it reads, the node, its result.
#include "mase/engine/call_layer.h"

#include <fmt/format.h>

#include "mase/ops/op.h"
#include "mase/support/error.h"

namespace mase::engine {
namespace {

bool computes(const ir::Node& node) {
  return node.kind == ir::NodeKind::CallFunction || node.kind == ir::NodeKind::CallMethod ||
         node.kind == ir::NodeKind::CallModule;
}

ir::Graph alone(const ir::Graph& graph, const ir::Node& node) {
  ir::Graph out(graph.name, graph.class_name);
  for (const std::string& input : node.inputs()) {
    out.add(
        {.name = input, .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = input});
  }
  for (const ir::Parameter& parameter : graph.parameters()) {
    if (parameter.name.starts_with(node.target + ".")) out.add_parameter(parameter);
  }
  out.add(node);
  out.add({.name = "output",
           .kind = ir::NodeKind::Output,
           .op = "output",
           .target = "output",
           .args = {ir::NodeRef{node.name}}});
  return out;
}

}  // namespace

ir::Tensor call_layer(const ir::Graph& graph, const ir::Node& node,
                      std::span<const ir::Tensor> inputs, std::string_view engine) {
  if (!computes(node)) {
    usage_error(fmt::format("{} is of kind {}: it computes nothing", node.name, name(node.kind)),
                {.file = {}, .node = node.name});
  }
  const std::size_t wanted = node.inputs().size();
  if (inputs.size() != wanted) {
    usage_error(fmt::format("{} reads {} tensor(s), {} given", node.name, wanted, inputs.size()),
                {.file = {}, .node = node.name});
  }
  ir::Graph layer = alone(graph, node);
  ops::type_inputs(layer, inputs);
  return choose(layer, engine).engine->compile(layer)->forward(inputs, Mode::Eval);
}

ir::Tensor call_layer(const ir::Graph& graph, const ir::Node& node, const ir::Tensor& input,
                      std::string_view engine) {
  return call_layer(graph, node, {&input, 1}, engine);
}

}  // namespace mase::engine
