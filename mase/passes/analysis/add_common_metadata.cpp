// add_common_metadata: what flows through every node, by the ops' shape rules and one run of the
// graph on a dummy input.
#include "mase/passes/analysis/add_common_metadata.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "mase/ops/op.h"
#include "mase/passes/analysis/add_software_metadata.h"
#include "mase/passes/analysis/init_metadata.h"
#include "mase/passes/run_graph.h"

namespace mase::passes {
namespace {

using ops::TensorType;
using ops::ValueType;

struct Findings {
  ir::Named<ValueType> types;   // of the results, by node
  ir::Named<ir::Value> values;  // of the results, if asked for
};

// A language type as users read it.
std::string type_name(const ir::Value& value) {
  if (value.is<bool>()) return "bool";
  if (value.is<std::int64_t>()) return "int";
  if (value.is<double>()) return "float";
  if (value.is<std::string>()) return "str";
  if (value.is<ir::Tuple>()) return "tuple";
  if (value.is<ir::List>()) return "list";
  if (value.is<ir::Dict>()) return "dict";
  return "NoneType";
}

ir::ArgumentMeta data_entry(const TensorType& type) {
  ir::ArgumentMeta entry;
  entry.kind = ir::ArgumentMeta::Kind::Data;
  entry.shape = type.shape;
  entry.dtype = type.dtype;
  return entry;
}

// Values of the tensors of a call, in the order in which the metadata names them; None where values
// were not asked for.
std::vector<ir::Value> tensor_values(const ir::Node& node, const Findings& findings) {
  std::vector<ir::Value> values;
  const auto add = [&](const ir::Value& argument) {
    if (argument.is<ir::Tensor>()) values.push_back(argument);
    const auto* ref = argument.get<ir::NodeRef>();
    const ValueType* type = ref ? ir::find(findings.types, ref->name) : nullptr;
    if (type == nullptr || !std::holds_alternative<TensorType>(*type)) return;
    const ir::Value* value = ir::find(findings.values, ref->name);
    values.push_back(value ? *value : ir::Value());
  };
  const bool method = node.kind == ir::NodeKind::CallMethod;
  for (std::size_t i = method ? 1 : 0; i < node.args.size(); ++i) add(node.args[i]);
  for (const auto& [key, value] : node.kwargs) add(value);
  return values;
}

void add_arguments(ir::CommonMeta& common, const ir::Graph& graph, const ir::Node& node,
                   const Findings& findings) {
  const std::vector<ir::Value> values = tensor_values(node, findings);
  std::size_t tensors = 0;
  for (const ops::CallArgument& argument :
       ops::call_arguments(ops::site_of(graph, node, findings.types))) {
    ir::ArgumentMeta entry;
    if (const auto* type = std::get_if<TensorType>(&argument.type)) {
      entry = data_entry(*type);
      if (tensors < values.size()) entry.value = values[tensors];
      ++tensors;
    } else {
      entry.kind = ir::ArgumentMeta::Kind::Constant;
      entry.constant = std::get<ir::Value>(argument.type);
    }
    common.args.emplace_back(argument.name, std::move(entry));
  }
}

void add_parameters(ir::CommonMeta& common, const ir::Graph& graph, const ir::Node& node,
                    bool add_value) {
  for (const ops::Argument& argument : ops::op_of(node).arguments) {
    const bool trained =
        argument.role == ops::Role::Parameter || argument.role == ops::Role::OptionalParameter;
    const ir::Parameter* parameter = trained ? graph.parameter_of(node, argument.name) : nullptr;
    if (parameter == nullptr) continue;
    ir::ArgumentMeta entry;
    entry.kind = ir::ArgumentMeta::Kind::Parameter;
    entry.shape = parameter->value.shape();
    entry.dtype = parameter->value.dtype();
    if (add_value) entry.value = parameter->value;
    common.args.emplace_back(std::string(argument.name), std::move(entry));
  }
}

ir::ArgumentMeta result_entry(const ir::Node& node, const Findings& findings) {
  const ValueType& type = *ir::find(findings.types, node.name);
  const ir::Value* value = ir::find(findings.values, node.name);
  ir::ArgumentMeta entry;
  if (const auto* tensor = std::get_if<TensorType>(&type)) {
    entry = data_entry(*tensor);
  } else {
    entry.kind = ir::ArgumentMeta::Kind::Other;
    entry.type = type_name(std::get<ir::Value>(type));
    entry.shape = {1};
    // A plain value is part of what is known without running anything.
    entry.value = std::get<ir::Value>(type);
  }
  if (value != nullptr) entry.value = *value;
  return entry;
}

bool is_implicit(const ir::Node& node) {
  return !ir::is_call(node.kind) || ops::kind_of(node) == ops::Kind::ImplicitFunc;
}

// The first nodes that compute something, seen from a node on: its users, and theirs in place of
// those that only reshape. Each once.
void find_first(const ir::Graph& graph, const std::string& from, std::vector<std::string>& out) {
  for (const std::string& name : graph.users(from)) {
    const ir::Node& user = graph.node(name);
    if (user.kind == ir::NodeKind::Output) continue;
    if (is_implicit(user)) {
      find_first(graph, name, out);
    } else if (std::find(out.begin(), out.end(), name) == out.end()) {
      out.push_back(name);
    }
  }
}

void find_last(const ir::Graph& graph, const ir::Node& to, std::vector<std::string>& out) {
  for (const std::string& name : to.inputs()) {
    const ir::Node& input = graph.node(name);
    if (input.kind == ir::NodeKind::Placeholder) continue;
    if (is_implicit(input)) {
      find_last(graph, input, out);
    } else if (std::find(out.begin(), out.end(), name) == out.end()) {
      out.push_back(name);
    }
  }
}

void put(ir::Dict& dict, const std::string& key, ir::Value value) {
  if (ir::Value* old = ir::find(dict, key)) {
    *old = std::move(value);
  } else {
    dict.emplace_back(key, std::move(value));
  }
}

ir::List names(const std::vector<std::string>& nodes) {
  return {nodes.begin(), nodes.end()};
}

// Where the network begins and ends, and what goes in and out there. Entries of the same name of
// several nodes replace each other, as users of the original know it.
ir::Dict graph_metadata(const ir::Graph& graph) {
  std::vector<std::string> first;
  std::vector<std::string> last;
  for (const std::string& placeholder : graph.placeholders()) find_first(graph, placeholder, first);
  find_last(graph, graph.output(), last);
  ir::Dict args;
  ir::Dict results;
  for (const std::string& name : first) {
    for (const auto& [key, entry] : graph.node(name).meta.common->args) {
      if (key.find("data") != std::string::npos) put(args, key, entry.to_value());
    }
  }
  for (const std::string& name : last) {
    for (const auto& [key, entry] : graph.node(name).meta.common->results) {
      if (key.find("data") != std::string::npos) put(results, key, entry.to_value());
    }
  }
  return {{"nodes_in", names(first)},
          {"nodes_out", names(last)},
          {"args", std::move(args)},
          {"results", std::move(results)}};
}

PassResult run_add_common_metadata(const ir::Graph& graph, const Options& options,
                                   Context& context) {
  if (context.dummy_input.empty()) {
    usage_error("add_common_metadata needs a dummy input", options.where(),
                "run it where a data set is known, or give the placeholders' values");
  }
  const AddCommonMetadataOptions chosen{
      .add_value = options.flag("add_value"),
      .mode = options.flag("training") ? engine::Mode::Train : engine::Mode::Eval,
      .engine = context.engine};
  PassResult result{.graph = add_common_metadata(graph, context.dummy_input, chosen)};
  context.log_debug(ir::print(result.graph));
  return result;
}

bool has_common_metadata(const ir::Graph& graph) {
  return std::all_of(graph.begin(), graph.end(), [](const ir::Node& node) {
    return node.meta.common && !node.meta.common->mase_type.empty();
  });
}

}  // namespace

void record_graph_metadata(ir::Graph& graph) {
  graph.meta = {{"common", graph_metadata(graph)}};
}

ir::Graph add_common_metadata(ir::Graph graph, const ir::Named<ir::Tensor>& dummy_in,
                              const AddCommonMetadataOptions& options) {
  const std::vector<ir::Tensor> inputs = inputs_in_order(graph, dummy_in);
  ops::type_inputs(graph, inputs);
  ir::Named<TensorType> input_types;
  const std::vector<std::string> placeholders = graph.placeholders();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    input_types.emplace_back(placeholders[i], TensorType{inputs[i].shape(), inputs[i].dtype()});
  }
  Findings findings{.types = ops::infer_types(graph, input_types)};
  if (options.add_value) {
    findings.values = compile(graph, options.engine, inputs)->capture_results(inputs, options.mode);
  }
  for (ir::Node& node : graph.nodes_mut()) {
    ir::CommonMeta common;
    common.mase_type = std::string(ops::name(ops::kind_of(node)));
    common.mase_op = node.op;
    if (ir::is_call(node.kind)) add_arguments(common, graph, node, findings);
    if (node.kind == ir::NodeKind::CallModule) {
      add_parameters(common, graph, node, options.add_value);
    }
    common.results.emplace_back("data_out_0", result_entry(node, findings));
    node.meta.common = std::move(common);
    ir::record_precision(node);
  }
  record_graph_metadata(graph);
  return graph;
}

ir::Graph add_metadata(ir::Graph graph, const ir::Named<ir::Tensor>& dummy_in,
                       const AddCommonMetadataOptions& options) {
  graph = init_metadata(std::move(graph));
  return add_software_metadata(add_common_metadata(std::move(graph), dummy_in, options));
}

const Pass kAddCommonMetadata{
    .name = "add_common_metadata",
    .kind = PassKind::Analysis,
    .summary = "record every node's op, and shape, type and value of what goes in and out",
    .options = {{.name = "add_value",
                 .type = FieldType::Bool,
                 .standard = true,
                 .help = "keep the tensors themselves, not only their shapes"},
                {.name = "training",
                 .type = FieldType::Bool,
                 .standard = false,
                 .help = "take values in training mode; running statistics stay as they are"}},
    .needs = {"init_metadata"},
    .run = run_add_common_metadata,
    .done = has_common_metadata,
};

}  // namespace mase::passes
