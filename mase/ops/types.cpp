// What flows along the edges of a graph: the types of all results, by the ops' shape rules, and the
// view of a node (Site) that those rules and others get.
#include <fmt/format.h>

#include <algorithm>

#include "mase/ir/field_value.h"
#include "mase/ops/rules.h"
#include "mase/support/suggest.h"

namespace mase::ops {
namespace {

std::size_t data_arguments(const Op& op) {
  return static_cast<std::size_t>(
      std::count_if(op.arguments.begin(), op.arguments.end(),
                    [](const Argument& a) { return a.role == Role::Data; }));
}

const ValueType& type_of(const ir::NodeRef& ref, const ir::Node& reader,
                         const ir::Named<ValueType>& types) {
  if (const ValueType* type = ir::find(types, ref.name)) return *type;
  usage_error(fmt::format("reads '{}', which is not computed before it", ref.name),
              {.node = reader.name});
}

// Node references inside tuples and lists become the plain values that the nodes give.
ir::Value resolved(const ir::Value& value, const ir::Node& reader,
                   const ir::Named<ValueType>& types) {
  if (const auto* ref = value.get<ir::NodeRef>()) {
    const auto* plain = std::get_if<ir::Value>(&type_of(*ref, reader, types));
    return plain ? *plain : value;
  }
  const auto all = [&](const std::vector<ir::Value>& items) {
    std::vector<ir::Value> out;
    for (const ir::Value& item : items) out.push_back(resolved(item, reader, types));
    return out;
  };
  if (const auto* tuple = value.get<ir::Tuple>()) return ir::Tuple{all(tuple->items)};
  if (const auto* list = value.get<ir::List>()) return all(*list);
  return value;
}

ValueType argument_type(const ir::Value& value, const ir::Node& reader,
                        const ir::Named<ValueType>& types) {
  if (const auto* ref = value.get<ir::NodeRef>()) return type_of(*ref, reader, types);
  if (const auto* tensor = value.get<ir::Tensor>()) {
    return TensorType{tensor->shape(), tensor->dtype()};
  }
  return resolved(value, reader, types);
}

// The call fits the row: no argument too many, none missing, no unknown keyword.
void check_call(const Site& site, const Op& op) {
  const std::size_t data = data_arguments(op);
  const bool layer = site.node.kind == ir::NodeKind::CallModule;
  const std::size_t most = layer ? data : data + op.attributes.size();
  if (op.repeated_attribute.empty() && site.args.size() > most) {
    usage_error(
        fmt::format("{} takes at most {} arguments, got {}", op.name, most, site.args.size()),
        site.where());
  }
  std::vector<std::string> known;
  for (std::size_t i = 0; i < data; ++i) known.emplace_back(op.arguments[i].formal);
  if (!layer) {
    for (std::string& name : attribute_names(op)) known.push_back(std::move(name));
    if (!op.repeated_attribute.empty()) known.emplace_back(op.repeated_attribute);
  }
  for (const auto& [key, type] : site.kwargs) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      usage_error(fmt::format("{} has no argument '{}'", op.name, key), site.where(),
                  did_you_mean(key, known));
    }
  }
  for (std::size_t i = 0; i < data; ++i) {
    if (!site.operand(i)) {
      usage_error(fmt::format("{} needs the argument '{}'", op.name, op.arguments[i].formal),
                  site.where());
    }
  }
}

ValueType infer_node(const ir::Graph& graph, const ir::Node& node,
                     const ir::Named<TensorType>& inputs, const ir::Named<ValueType>& types) {
  switch (node.kind) {
    case ir::NodeKind::Placeholder: {
      if (const TensorType* type = ir::find(inputs, node.name)) return *type;
      if (!node.args.empty()) return argument_type(node.args[0], node, types);
      std::vector<std::string> given;
      for (const auto& [name, type] : inputs) given.push_back(name);
      usage_error("no value is given for this input", {.node = node.name},
                  did_you_mean(node.name, given));
    }
    case ir::NodeKind::GetAttr: {
      const ir::Parameter* parameter = graph.find_parameter(node.target);
      if (!parameter) {
        usage_error(fmt::format("the graph has no parameter '{}'", node.target),
                    {.node = node.name});
      }
      return TensorType{parameter->value.shape(), parameter->value.dtype()};
    }
    case ir::NodeKind::Output:
      return node.args.empty() ? ValueType(ir::Value()) : argument_type(node.args[0], node, types);
    default:
      break;
  }
  const Op& op = op_of(node);
  const Site site = site_of(graph, node, types);
  check_call(site, op);
  return op.infer(site);
}

// Rules multiply sizes, which must not overflow, whatever a file asks for.
void check_size(const ValueType& type, const ir::Node& node) {
  constexpr std::int64_t kMostElements = std::int64_t{1} << 48;
  const auto* tensor = std::get_if<TensorType>(&type);
  if (!tensor) return;
  std::int64_t count = 1;
  for (const std::int64_t size : tensor->shape) {
    const bool fits = !__builtin_mul_overflow(count, std::max<std::int64_t>(size, 1), &count);
    if (fits && count <= kMostElements) continue;
    usage_error(
        fmt::format("a result of shape {} is larger than any memory", ir::text(tensor->shape)),
        {.node = node.name});
  }
}

}  // namespace

Location Site::where() const {
  return {.node = node.name};
}

const TensorType& Site::data(std::size_t i) const {
  std::size_t seen = 0;
  for (const ValueType& type : args) {
    if (const auto* tensor = std::get_if<TensorType>(&type); tensor && seen++ == i) return *tensor;
  }
  for (const auto& [key, type] : kwargs) {
    if (const auto* tensor = std::get_if<TensorType>(&type); tensor && seen++ == i) return *tensor;
  }
  usage_error(
      fmt::format("{} needs {} tensor{} as input, got {}", node.op, i + 1, i ? "s" : "", seen),
      where());
}

const ValueType* Site::operand(std::size_t i) const {
  if (i < args.size()) return &args[i];
  const Op& op = op_of(node);
  return i < op.arguments.size() ? ir::find(kwargs, op.arguments[i].formal) : nullptr;
}

ir::Value Site::attribute(std::string_view name) const {
  const Op& op = op_of(node);
  const Attribute* row = find_attribute(op, name);
  if (row == nullptr) {
    internal_error(fmt::format("op '{}' has no attribute '{}'", op.name, name));
  }
  if (node.kind == ir::NodeKind::CallModule) {
    if (const ir::Value* value = node.attribute(name)) return checked(*row, *value, where());
  } else {
    const ValueType* type = ir::find(kwargs, name);
    for (std::size_t i = data_arguments(op); i < args.size(); ++i) {
      if (attribute_at(op, i - data_arguments(op)) == row) type = &args[i];
    }
    if (type) {
      const auto* value = std::get_if<ir::Value>(type);
      if (!value) usage_error(fmt::format("{} must not be a tensor", name), where());
      if (!row->same_as.empty() && value->is_none()) return attribute(row->same_as);
      return checked(*row, *value, where());
    }
    if (row->function_standard) return ir::value_of(*row->function_standard);
  }
  if (!row->same_as.empty()) return attribute(row->same_as);
  if (!row->field.standard) usage_error(fmt::format("{} needs {}", op.name, name), where());
  return standard_of(*row);
}

Site site_of(const ir::Graph& graph, const ir::Node& node, const ir::Named<ValueType>& types) {
  Site site{graph, node, {}, {}};
  for (const ir::Value& arg : node.args) site.args.push_back(argument_type(arg, node, types));
  for (const auto& [key, value] : node.kwargs) {
    site.kwargs.emplace_back(key, argument_type(value, node, types));
  }
  return site;
}

ir::Named<ValueType> infer_types(const ir::Graph& graph, const ir::Named<TensorType>& inputs) {
  ir::Named<ValueType> types;
  types.reserve(graph.nodes().size());
  for (const ir::Node& node : graph) {
    types.emplace_back(node.name, infer_node(graph, node, inputs, types));
    check_size(types.back().second, node);
  }
  return types;
}

ir::Named<ValueType> infer_types(const ir::Graph& graph, std::int64_t batch) {
  ir::Named<TensorType> inputs;
  for (const ir::Node& node : graph) {
    if (node.kind != ir::NodeKind::Placeholder) continue;
    if (!node.type) {
      usage_error("it is not known what a sample of this input looks like", {.node = node.name},
                  "set the node's type, or let ops::type_inputs find it from a batch");
    }
    inputs.emplace_back(node.name, *node.type);
    ir::Shape& shape = inputs.back().second.shape;
    shape.insert(shape.begin(), batch);
  }
  return infer_types(graph, inputs);
}

bool is_typed(const ir::Graph& graph) {
  return std::all_of(graph.begin(), graph.end(), [](const ir::Node& node) {
    return node.kind != ir::NodeKind::Placeholder || node.type;
  });
}

void type_inputs(ir::Graph& graph, std::span<const ir::Tensor> inputs) {
  if (is_typed(graph)) return;
  const std::vector<std::string> names = graph.placeholders();
  if (inputs.size() != names.size()) {
    usage_error(fmt::format("the network reads {} inputs ({}), but {} are given", names.size(),
                            fmt::join(names, ", "), inputs.size()));
  }
  const auto set = [&](ir::Graph& to, bool batches) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      ir::Node& node = to.node(names[i]);
      if (node.type) continue;
      ir::Shape shape = inputs[i].shape();
      if (batches && !shape.empty()) shape.erase(shape.begin());
      node.type = TensorType{std::move(shape), inputs[i].dtype()};
    }
  };
  const auto reads = [&](bool batches) {
    // No size that a shape in the network is likely to have, so that a batch is taken for one.
    constexpr std::int64_t kProbe = 1031;
    ir::Graph typed = graph;
    set(typed, batches);
    try {
      infer_types(typed, kProbe);
      return true;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Internal) throw;
      return false;
    }
  };
  const bool rows = std::all_of(inputs.begin(), inputs.end(),
                                [](const ir::Tensor& input) { return input.shape().size() < 2; });
  const bool samples = rows ? reads(false) : !reads(true) && reads(false);
  set(graph, !samples);
}

std::vector<CallArgument> call_arguments(const Site& site) {
  const Op& op = op_of(site.node);
  const std::size_t data = data_arguments(op);
  std::vector<CallArgument> tensors;
  std::vector<CallArgument> values;
  const auto add = [&](std::string name, const ValueType& type) {
    if (std::holds_alternative<TensorType>(type)) {
      tensors.push_back({fmt::format("data_in_{}", tensors.size()), type});
    } else {
      values.push_back({std::move(name), type});
    }
  };
  std::size_t repeated = 0;
  const auto add_repeated = [&](const ValueType& type) {
    const auto* value = std::get_if<ir::Value>(&type);
    const auto* tuple = value ? value->get<ir::Tuple>() : nullptr;
    const auto* list = value ? value->get<ir::List>() : nullptr;
    const auto name = [&] { return fmt::format("{}_{}", op.repeated_attribute, repeated++); };
    if (!tuple && !list) return add(name(), type);
    for (const ir::Value& item : tuple ? tuple->items : *list) add(name(), item);
  };
  const bool method = site.node.kind == ir::NodeKind::CallMethod;
  for (std::size_t i = method ? 1 : 0; i < site.args.size(); ++i) {
    if (i < data) {
      add(std::string(op.arguments[i].formal), site.args[i]);
    } else if (!op.repeated_attribute.empty()) {
      add_repeated(site.args[i]);
    } else if (const Attribute* attribute = attribute_at(op, i - data)) {
      add(std::string(attribute->name()), site.args[i]);
    }
  }
  for (const auto& [key, type] : site.kwargs) {
    if (!op.repeated_attribute.empty() && key == op.repeated_attribute) {
      add_repeated(type);
    } else {
      add(key, type);
    }
  }
  tensors.insert(tensors.end(), values.begin(), values.end());
  return tensors;
}

}  // namespace mase::ops
