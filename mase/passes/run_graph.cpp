// Running a graph inside of a pass.
#include "mase/passes/run_graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/ops/op.h"
#include "mase/support/error.h"
#include "mase/support/suggest.h"

namespace mase::passes {

std::unique_ptr<engine::Program> compile(const ir::Graph& graph, std::string_view engine,
                                         std::span<const ir::Tensor> inputs) {
  ir::Graph typed = graph;
  ops::type_inputs(typed, inputs);
  return engine::choose(typed, engine).engine->compile(typed);
}

std::vector<ir::Tensor> inputs_in_order(const ir::Graph& graph,
                                        const ir::Named<ir::Tensor>& values) {
  const std::vector<std::string> placeholders = graph.placeholders();
  std::vector<ir::Tensor> inputs;
  for (const auto& [name, value] : values) {
    if (std::find(placeholders.begin(), placeholders.end(), name) != placeholders.end()) continue;
    usage_error(fmt::format("the graph has no placeholder '{}'", name), {},
                did_you_mean(name, placeholders));
  }
  for (const std::string& name : placeholders) {
    const ir::Tensor* value = ir::find(values, name);
    if (value == nullptr) usage_error(fmt::format("no value is given for the input '{}'", name));
    inputs.push_back(*value);
  }
  return inputs;
}

}  // namespace mase::passes
