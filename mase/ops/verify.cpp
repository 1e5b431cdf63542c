// Checks of a graph against the op table.
#include "mase/ops/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "mase/ir/format_state.h"
#include "mase/ir/verify.h"
#include "mase/ops/op.h"

namespace mase::ops {
namespace {

bool may_be_called(const Op& op, const ir::Node& node) {
  switch (node.kind) {
    case ir::NodeKind::CallModule:
      return !op.layer.empty();
    case ir::NodeKind::CallFunction:
      return find_function(node.target) == &op;
    case ir::NodeKind::CallMethod:
      return find_method(node.target) == &op;
    default:
      return true;
  }
}

void check_precision(const Op& op, const ir::Node& node, std::vector<Problem>& problems) {
  for (const auto& [argument, precision] : node.precision) {
    if (!may_be_quantised(node, argument)) {
      problems.push_back(
          {{.node = node.name},
           fmt::format("the argument '{}' of {} cannot be quantised", argument, op.name),
           {}});
    }
  }
}

void check_format_states(const ir::Graph& graph, std::vector<Problem>& problems) {
  for (const ir::FormatState& state : ir::format_states(graph)) {
    const ir::Parameter* found = graph.find_parameter(state.name);
    const ir::Node& node = graph.node(state.node);
    const std::string text =
        fmt::format("the format {} of its {}", state.precision->text(), state.argument);
    if (!found || found->value.dtype() != ir::DType::Float32) {
      problems.push_back(
          {{.node = node.name}, fmt::format("{} needs the parameter '{}'", text, state.name), {}});
      continue;
    }
    // How many channels data have, only they tell.
    const ir::Parameter* of = graph.parameter_of(node, state.argument);
    const ir::Shape shape = of ? state.precision->format->state_shape(
                                     *state.precision, numerics::parameter_edge(of->value.shape()))
                               : found->value.shape();
    if (found->value.shape() != shape || shape.size() != 1) {
      problems.push_back({{.node = node.name},
                          fmt::format("{} needs '{}' as {}, not {}", text, state.name,
                                      ir::text(shape), ir::text(found->value.shape())),
                          {}});
    }
  }
}

using Parameters = std::unordered_map<std::string_view, const ir::Parameter*>;

void check_parameters(const Parameters& parameters, const Op& op, const ir::Node& node,
                      std::vector<Problem>& problems) {
  if (!op.parameters) return;
  for (const ParameterSpec& spec : op.parameters(node.attributes)) {
    const auto at = parameters.find(fmt::format("{}.{}", node.target, spec.name));
    const ir::Parameter* found = at == parameters.end() ? nullptr : at->second;
    if (!found) {
      problems.push_back({{.node = node.name}, fmt::format("has no {}", spec.name), {}});
    } else if (found->value.shape() != spec.shape || found->value.dtype() != spec.dtype ||
               found->is_buffer != spec.is_buffer) {
      problems.push_back(
          {{.node = node.name},
           fmt::format("its {} is a {} {} {}, not a {} {} {}", spec.name,
                       found->is_buffer ? "buffer" : "parameter", ir::name(found->value.dtype()),
                       ir::text(found->value.shape()), spec.is_buffer ? "buffer" : "parameter",
                       ir::name(spec.dtype), ir::text(spec.shape)),
           {}});
    }
  }
}

void check_call(const Parameters& parameters, const ir::Node& node,
                std::vector<Problem>& problems) {
  try {
    const Op& op = op_of(node);
    if (!may_be_called(op, node)) {
      problems.push_back(
          {{.node = node.name},
           fmt::format("{} is not called as {} '{}'", op.name, ir::name(node.kind), node.target),
           {}});
      return;
    }
    check_precision(op, node, problems);
    if (node.kind != ir::NodeKind::CallModule) return;
    if (complete_attributes(op, node.attributes) != node.attributes) {
      problems.push_back(
          {{.node = node.name}, "its attributes are incomplete or out of order", {}});
      return;
    }
    check_parameters(parameters, op, node, problems);
  } catch (const Error& error) {
    problems.push_back({{.node = node.name}, error.message(), error.hint()});
  }
}

// That what every node reads fits it, whatever the batch.
void check_types(const ir::Graph& graph, std::vector<Problem>& problems) {
  constexpr std::int64_t kBatch = 2;
  try {
    infer_types(graph, kBatch);
  } catch (const Error& error) {
    problems.push_back({error.where(), error.message(), error.hint()});
  }
}

}  // namespace

std::vector<Problem> verify(const ir::Graph& graph) {
  std::vector<Problem> problems = ir::verify_structure(graph);
  Parameters parameters;
  for (const ir::Parameter& parameter : graph.parameters()) {
    parameters.emplace(parameter.name, &parameter);
  }
  if (problems.empty()) check_format_states(graph, problems);
  for (const ir::Node& node : graph) {
    switch (node.kind) {
      case ir::NodeKind::CallModule:
      case ir::NodeKind::CallFunction:
      case ir::NodeKind::CallMethod:
        check_call(parameters, node, problems);
        break;
      default:
        break;
    }
  }
  if (problems.empty() && is_typed(graph)) check_types(graph, problems);
  return problems;
}

void check(const ir::Graph& graph, std::string_view after) {
  const std::vector<Problem> problems = verify(graph);
  if (problems.empty()) return;
  Diagnostics all;
  for (const Problem& problem : problems) {
    all.add(fmt::format("after {}: {}", after, problem.message), problem.where, problem.hint);
  }
  all.throw_if_any(ErrorKind::CheckFailed);
}

}  // namespace mase::ops
