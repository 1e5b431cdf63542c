// The graph as a value: its node list, its parameters and the questions asked of them.
#include "mase/ir/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "mase/ir/field_value.h"
#include "mase/ir/names.h"
#include "mase/support/error.h"
#include "mase/support/pattern.h"
#include "mase/support/suggest.h"

namespace mase::ir {
namespace {

constexpr std::array<std::string_view, 6> kKinds = {"placeholder", "get_attr",    "call_function",
                                                    "call_method", "call_module", "output"};

void collect(const Value& value, std::vector<std::string>& names) {
  for_each_node_ref(value, [&](const NodeRef& ref) {
    if (std::find(names.begin(), names.end(), ref.name) == names.end()) names.push_back(ref.name);
  });
}

bool reads(const Node& node, std::string_view name) {
  const std::vector<std::string> inputs = node.inputs();
  return std::find(inputs.begin(), inputs.end(), name) != inputs.end();
}

}  // namespace

std::string_view name(NodeKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

bool parse_node_kind(std::string_view text, NodeKind& out) {
  const auto found = std::find(kKinds.begin(), kKinds.end(), text);
  if (found == kKinds.end()) return false;
  out = static_cast<NodeKind>(found - kKinds.begin());
  return true;
}

const Value* Node::attribute(std::string_view key) const {
  for (const auto& [name, value] : attributes) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::vector<std::string> Node::inputs() const {
  std::vector<std::string> names;
  for (const Value& arg : args) collect(arg, names);
  for (const auto& [key, value] : kwargs) collect(value, names);
  return names;
}

const Node* Graph::find_node(std::string_view name) const {
  for (const Node& node : nodes_) {
    if (node.name == name) return &node;
  }
  return nullptr;
}

Node* Graph::find_node(std::string_view name) {
  return const_cast<Node*>(static_cast<const Graph*>(this)->find_node(name));
}

const Node& Graph::node(std::string_view name) const {
  if (const Node* found = find_node(name)) return *found;
  std::vector<std::string> names;
  for (const Node& node : nodes_) names.push_back(node.name);
  usage_error(fmt::format("No node named {} found in graph", name), {}, did_you_mean(name, names));
}

Node& Graph::node(std::string_view name) {
  return const_cast<Node&>(static_cast<const Graph*>(this)->node(name));
}

std::size_t Graph::index_of(std::string_view name) const {
  return static_cast<std::size_t>(&node(name) - nodes_.data());
}

Node& Graph::add(Node node) {
  node.name = unique_name(node.name.empty() ? default_name(node) : node.name);
  return nodes_.emplace_back(std::move(node));
}

Node& Graph::insert_before(std::string_view before, Node node) {
  node.name = unique_name(node.name.empty() ? default_name(node) : node.name);
  const auto at = nodes_.begin() + static_cast<std::ptrdiff_t>(index_of(before));
  return *nodes_.insert(at, std::move(node));
}

void Graph::erase(std::string_view name) {
  const std::vector<std::string> readers = users(name);
  if (!readers.empty()) {
    usage_error(fmt::format("cannot erase node {}: node {} reads it", name, readers[0]));
  }
  nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(index_of(name)));
}

void Graph::replace_uses(std::string_view of, std::string_view with) {
  const auto swap = [&](NodeRef& ref) {
    if (ref.name == of) ref.name = std::string(with);
  };
  for (Node& node : nodes_) {
    for (Value& arg : node.args) for_each_node_ref_mut(arg, swap);
    for (auto& [key, value] : node.kwargs) for_each_node_ref_mut(value, swap);
  }
}

std::vector<std::string> Graph::users(std::string_view name) const {
  std::vector<std::string> out;
  for (const Node& node : nodes_) {
    if (reads(node, name)) out.push_back(node.name);
  }
  return out;
}

std::vector<std::string> Graph::placeholders() const {
  std::vector<std::string> out;
  for (const Node& node : nodes_) {
    if (node.kind == NodeKind::Placeholder) out.push_back(node.name);
  }
  return out;
}

const Node& Graph::output() const {
  for (const Node& node : nodes_) {
    if (node.kind == NodeKind::Output) return node;
  }
  internal_error(fmt::format("graph '{}' has no output node", name));
}

const Parameter* Graph::find_parameter(std::string_view name) const {
  for (const Parameter& parameter : parameters_) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

Parameter* Graph::find_parameter(std::string_view name) {
  return const_cast<Parameter*>(static_cast<const Graph*>(this)->find_parameter(name));
}

void Graph::add_parameter(Parameter parameter) {
  if (find_parameter(parameter.name)) {
    internal_error(fmt::format("parameter '{}' added twice", parameter.name));
  }
  parameters_.push_back(std::move(parameter));
}

const Parameter* Graph::parameter_of(const Node& node, std::string_view argument) const {
  if (node.kind != NodeKind::CallModule) return nullptr;
  return find_parameter(fmt::format("{}.{}", node.target, argument));
}

std::int64_t Graph::parameter_count() const {
  std::int64_t count = 0;
  for (const Parameter& parameter : parameters_) {
    if (!parameter.is_buffer) count += parameter.value.size();
  }
  return count;
}

bool Node::is_quantised() const {
  return !bypass && std::any_of(precision.begin(), precision.end(),
                                [](const auto& item) { return !item.second.is_float(); });
}

const numerics::Precision* Node::precision_of(std::string_view argument) const {
  const numerics::Precision* found = bypass ? nullptr : find(precision, argument);
  return found && !found->is_float() ? found : nullptr;
}

bool operator==(const Node& a, const Node& b) {
  return a.name == b.name && a.kind == b.kind && a.op == b.op && a.target == b.target &&
         a.type == b.type && a.args == b.args && a.kwargs == b.kwargs &&
         a.attributes == b.attributes && a.precision == b.precision && a.bypass == b.bypass;
}

bool operator==(const Graph& a, const Graph& b) {
  return a.name == b.name && a.class_name == b.class_name && a.nodes() == b.nodes() &&
         a.parameters() == b.parameters();
}

State Graph::state() const {
  State out;
  for (const Parameter& parameter : parameters_) out.emplace_back(parameter.name, parameter.value);
  return out;
}

const std::string& mase_op(const Node& node) {
  return node.meta.common && !node.meta.common->mase_op.empty() ? node.meta.common->mase_op
                                                                : node.op;
}

const std::string& mase_type(const Node& node) {
  static const std::string kUnknown;
  return node.meta.common ? node.meta.common->mase_type : kUnknown;
}

std::pair<std::string, std::string> parent_name(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return {"", std::string(path)};
  return {std::string(path.substr(0, dot)), std::string(path.substr(dot + 1))};
}

std::optional<std::string> match_a_pattern(std::string_view name,
                                           std::span<const std::string> patterns) {
  for (const std::string& pattern : patterns) {
    const auto parsed = Pattern::parse(pattern);
    if (!parsed) usage_error(parsed.error().message);
    if (parsed->matches(name)) return pattern;
  }
  return std::nullopt;
}

std::string vf(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), '.', '_');
  std::replace(out.begin(), out.end(), ' ', '_');
  return out;
}

std::string v2p(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

bool same_call(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.op != b.op || a.is_quantised() != b.is_quantised()) return false;
  return a.kind == NodeKind::CallModule || a.target == b.target;
}

void record_precision(Node& node) {
  if (!node.meta.common) return;
  for (const auto& [argument, configured] : node.precision) {
    const numerics::Precision* precision = node.precision_of(argument);
    ArgumentMeta* entry = find(node.meta.common->args, argument);
    if (!entry) entry = find(node.meta.common->results, argument);
    if (!entry || !precision) continue;
    entry->type = std::string(precision->type());
    entry->precision.clear();
    for (const FieldValue& item : precision->list()) entry->precision.push_back(value_of(item));
  }
}

const Node* similar_node(const Graph& graph, const Node& node) {
  return graph.find_node(node.name);
}

std::vector<std::pair<const Node*, const Node*>> zip(const Graph& a, const Graph& b) {
  std::vector<std::pair<const Node*, const Node*>> out;
  const std::size_t count = std::min(a.nodes().size(), b.nodes().size());
  for (std::size_t i = 0; i < count; ++i) out.emplace_back(&a.nodes()[i], &b.nodes()[i]);
  return out;
}

}  // namespace mase::ir
