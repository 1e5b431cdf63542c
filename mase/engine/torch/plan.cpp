// Compiles a graph to instructions and runs them.
#include "mase/engine/torch/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mase/engine/torch/convert.h"
#include "mase/engine/torch/pch.h"
#include "mase/engine/torch/quantise.h"
#include "mase/support/suggest.h"

namespace mase::engine::torch_engine {
namespace {

at::Tensor plain_tensor(const ir::Value& value) {
  if (const auto* constant = value.get<ir::Tensor>()) return borrow(*constant);
  at::Scalar number;
  if (const auto* i = value.get<std::int64_t>()) {
    number = *i;
  } else if (const auto* d = value.get<double>()) {
    number = *d;
  } else if (const auto* b = value.get<bool>()) {
    number = *b;
  } else {
    throw Error(ErrorKind::RunFailed, fmt::format("{} is no tensor", ir::repr(value)));
  }
  at::Tensor out = c10::scalar_to_tensor(number);
  out.unsafeGetTensorImpl()->set_wrapped_number(true);
  return out;
}

Location at_node(const ir::Node& node) {
  Location where;
  where.node = node.name;
  return where;
}

std::size_t parameter_index(const ir::Graph& graph, std::string_view name) {
  const auto& all = graph.parameters();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const ir::Parameter& p) { return p.name == name; });
  return static_cast<std::size_t>(found - all.begin());
}

ops::ValueType given(const ir::Value& value) {
  if (value.is<ir::NodeRef>()) return ops::TensorType{};
  return value;
}

Kernel build_get_attr(const ir::Graph& graph, const ir::Node& node) {
  const std::size_t index = parameter_index(graph, node.target);
  if (index == graph.parameters().size()) {
    unsupported(fmt::format("the graph has no parameter or buffer '{}'", node.target),
                at_node(node));
  }
  return [source = Operand::parameter(index)](const Frame& f) -> Slot { return source(f); };
}

Kernel build_output(const ir::Graph& graph, const ir::Node& node, Instruction& instruction) {
  const auto* ref = node.args.size() == 1 ? node.args[0].get<ir::NodeRef>() : nullptr;
  if (!ref) {
    unsupported("the network must return one tensor", at_node(node));
  }
  const std::size_t slot = graph.index_of(ref->name);
  instruction.reads = {slot};
  return [slot](const Frame& f) -> Slot { return f.slots[slot]; };
}

Kernel with_result_format(Kernel kernel, EdgeFormat format) {
  if (format.precision.is_float()) return kernel;
  return [kernel = std::move(kernel), format = std::move(format)](const Frame& f) -> Slot {
    return fake_quantise(kernel(f).tensor, format, f.parameters);
  };
}

Kernel build_op(const ir::Graph& graph, const ir::Node& node, std::size_t index,
                Instruction& instruction) {
  std::vector<std::string> names;
  for (const KernelRow& row : kernels()) {
    names.emplace_back(row.op);
    if (row.op != node.op) continue;
    Site site(graph, index, instruction);
    Kernel kernel = row.build(site);
    if (const std::string unused = site.unused(); !unused.empty()) {
      unsupported(fmt::format("op '{}' is run without {}, which this call gives", node.op, unused),
                  at_node(node));
    }
    return with_result_format(std::move(kernel), format_of(graph, node, ops::kResult));
  }
  unsupported(fmt::format("op '{}' has no kernel", node.op), at_node(node),
              did_you_mean(node.op, names));
}

// Slots are let go after their last reader, so that a forward pass over a large batch holds only
// the activations that are still needed.
void plan_releases(const ir::Graph& graph, Plan& plan) {
  std::vector<std::size_t> last(plan.slots, plan.slots);
  for (const Instruction& instruction : plan.instructions) {
    for (const std::string& name : graph.nodes()[instruction.slot].inputs()) {
      last[graph.index_of(name)] = instruction.slot;
    }
  }
  for (Instruction& instruction : plan.instructions) {
    for (std::size_t slot = 0; slot < plan.slots; ++slot) {
      if (last[slot] == instruction.slot) instruction.release.push_back(slot);
    }
  }
}

[[noreturn]] void rethrow_at(const Instruction& instruction, ErrorKind kind,
                             const std::string& message, const std::string& hint) {
  Location where;
  where.node = instruction.node;
  throw Error(kind, message, where, hint);
}

}  // namespace

at::Tensor Frame::for_product(at::Tensor t) const {
  return precision == Precision::BFloat16Mixed && t.defined() ? t.to(at::kBFloat16) : t;
}

at::Tensor Frame::in_full(at::Tensor t) const {
  return t.scalar_type() == at::kBFloat16 ? t.to(at::kFloat) : t;
}

Operand Operand::slot(std::size_t index, EdgeFormat format) {
  Operand out;
  out.kind_ = Kind::Slot;
  out.index_ = index;
  out.format_ = std::move(format);
  return out;
}

Operand Operand::parameter(std::size_t index, EdgeFormat format) {
  Operand out = slot(index, std::move(format));
  out.kind_ = Kind::Parameter;
  return out;
}

Operand Operand::constant(ir::Value value) {
  Operand out;
  out.kind_ = Kind::Constant;
  out.constant_ = std::move(value);
  return out;
}

at::Tensor Operand::operator()(const Frame& frame) const {
  if (kind_ == Kind::Absent) return {};
  if (is_plain(frame)) return plain_tensor(value(frame));
  return fake_quantise(raw(frame), format_, frame.parameters);
}

const ir::Value& Operand::value(const Frame& frame) const {
  return kind_ == Kind::Slot ? frame.slots[index_].value : constant_;
}

bool Operand::is_plain(const Frame& frame) const {
  return kind_ == Kind::Constant || (kind_ == Kind::Slot && !frame.slots[index_].tensor.defined());
}

const at::Tensor& Operand::raw(const Frame& frame) const {
  return kind_ == Kind::Parameter ? frame.parameters[index_] : frame.slots[index_].tensor;
}

Site::Site(const ir::Graph& graph, std::size_t index, Instruction& instruction)
    : graph_(graph),
      node_(graph.nodes()[index]),
      op_(ops::op_of(node_)),
      call_{.graph = graph, .node = node_, .args = {}, .kwargs = {}},
      index_(index),
      instruction_(instruction),
      used_(node_.args.size() + node_.kwargs.size(), false) {
  // Types are not known yet; attributes only ask whether they were given as plain values.
  for (const ir::Value& arg : node_.args) call_.args.push_back(given(arg));
  for (const auto& [key, value] : node_.kwargs) call_.kwargs.emplace_back(key, given(value));
  for (const ops::Argument& argument : op_.arguments) {
    if (argument.role == ops::Role::Data) ++data_arguments_;
  }
}

Operand Site::operand(const ir::Value& value) {
  const auto* ref = value.get<ir::NodeRef>();
  if (!ref) return Operand::constant(value);
  const std::size_t slot = graph_.index_of(ref->name);
  // data_in_<i> is the i-th of the tensors, whatever plain numbers stand between them.
  const std::string name = fmt::format("data_in_{}", instruction_.reads.size());
  instruction_.reads.push_back(slot);
  return Operand::slot(slot, format_of(graph_, node_, name));
}

Operand Site::data(std::size_t i) {
  if (i < node_.args.size()) {
    used_[i] = true;
    return operand(node_.args[i]);
  }
  const std::string_view formal = op_.arguments.at(i).formal;
  for (std::size_t k = 0; k < node_.kwargs.size(); ++k) {
    if (node_.kwargs[k].first != formal) continue;
    used_[node_.args.size() + k] = true;
    return operand(node_.kwargs[k].second);
  }
  unsupported(fmt::format("op '{}' needs its argument '{}'", node_.op, formal), at_node(node_));
}

Operand Site::parameter(std::string_view name) {
  const ir::Parameter* found = graph_.parameter_of(node_, name);
  if (!found) {
    for (const ops::Argument& argument : op_.arguments) {
      if (argument.name == name && argument.role == ops::Role::Parameter) {
        unsupported(fmt::format("the graph has no parameter '{}.{}'", node_.target, name),
                    at_node(node_));
      }
    }
    return {};
  }
  return Operand::parameter(static_cast<std::size_t>(found - graph_.parameters().data()),
                            format_of(graph_, node_, name));
}

ir::Value Site::attribute(std::string_view name) {
  if (node_.kind != ir::NodeKind::CallModule) {
    for (std::size_t k = 0; k < node_.kwargs.size(); ++k) {
      if (node_.kwargs[k].first == name) used_[node_.args.size() + k] = true;
    }
    for (std::size_t i = data_arguments_; i < node_.args.size(); ++i) {
      const ops::Attribute* attribute = ops::attribute_at(op_, i - data_arguments_);
      if (attribute && attribute->name() == name) used_[i] = true;
    }
  }
  return call_.attribute(name);
}

void Site::flatten(const ir::Value& value, std::vector<Operand>& out) {
  if (const auto* tuple = value.get<ir::Tuple>()) {
    for (const ir::Value& item : tuple->items) flatten(item, out);
  } else if (const auto* list = value.get<ir::List>()) {
    for (const ir::Value& item : *list) flatten(item, out);
  } else if (const auto* ref = value.get<ir::NodeRef>()) {
    out.push_back(Operand::slot(graph_.index_of(ref->name)));  // a size: no data argument
  } else {
    out.push_back(Operand::constant(value));
  }
}

std::vector<Operand> Site::repeated() {
  std::vector<Operand> out;
  for (std::size_t i = data_arguments_; i < node_.args.size(); ++i) {
    used_[i] = true;
    flatten(node_.args[i], out);
  }
  for (std::size_t k = 0; k < node_.kwargs.size(); ++k) {
    if (node_.kwargs[k].first != op_.repeated_attribute) continue;
    used_[node_.args.size() + k] = true;
    flatten(node_.kwargs[k].second, out);
  }
  return out;
}

std::string Site::unused() const {
  for (std::size_t i = 0; i < node_.args.size(); ++i) {
    if (!used_[i]) return fmt::format("positional argument {}", i + 1);
  }
  for (std::size_t k = 0; k < node_.kwargs.size(); ++k) {
    if (!used_[node_.args.size() + k]) return fmt::format("'{}'", node_.kwargs[k].first);
  }
  return "";
}

Plan make_plan(const ir::Graph& graph) {
  Plan plan;
  plan.slots = graph.nodes().size();
  bool has_output = false;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::Node& node = graph.nodes()[i];
    if (node.kind == ir::NodeKind::Placeholder) {
      plan.placeholders.push_back(i);
      continue;
    }
    Instruction instruction{.slot = i, .node = node.name};
    if (node.kind == ir::NodeKind::GetAttr) {
      instruction.run = build_get_attr(graph, node);
    } else if (node.kind == ir::NodeKind::Output) {
      instruction.run = build_output(graph, node, instruction);
      plan.output = i;
      has_output = true;
    } else {
      instruction.run = build_op(graph, node, i, instruction);
    }
    plan.instructions.push_back(std::move(instruction));
  }
  if (!has_output) unsupported("the graph has no output node");
  plan_releases(graph, plan);
  return plan;
}

at::Tensor run(const Plan& plan, Frame& frame, const Observer& observer) {
  for (const Instruction& instruction : plan.instructions) {
    try {
      if (observer.before) observer.before(instruction, frame);
      frame.slots[instruction.slot] = instruction.run(frame);
      if (observer.after) observer.after(instruction, frame);
    } catch (const c10::Error& error) {
      rethrow_at(instruction, ErrorKind::RunFailed, first_line(error), "");
    } catch (const Error& error) {
      if (!error.where().empty()) throw;
      rethrow_at(instruction, error.kind(), error.message(), error.hint());
    }
    for (std::size_t slot : instruction.release) frame.slots[slot] = Slot{};
  }
  at::Tensor out = std::move(frame.slots[plan.output].tensor);
  if (!out.defined()) throw Error(ErrorKind::RunFailed, "the network returns no tensor");
  return out;
}

}  // namespace mase::engine::torch_engine
