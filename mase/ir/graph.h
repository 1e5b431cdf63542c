#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mase/ir/metadata.h"
#include "mase/ir/tensor.h"
#include "mase/ir/value.h"
#include "mase/numerics/format.h"

// A model is a graph and a graph is a value: nodes in execution order, the parameters they use, and
// what passes have found out about them. Copies are cheap (parameter bytes are shared until
// written) and independent.
namespace mase::ir {

enum class NodeKind { Placeholder, GetAttr, CallFunction, CallMethod, CallModule, Output };

std::string_view name(NodeKind kind);  // "call_module"
bool parse_node_kind(std::string_view text, NodeKind& out);
constexpr bool is_call(NodeKind kind) {
  return kind == NodeKind::CallFunction || kind == NodeKind::CallMethod ||
         kind == NodeKind::CallModule;
}

struct Node {
  std::string name;  // unique in the graph: "seq_blocks_2"
  NodeKind kind = NodeKind::CallModule;
  std::string op;      // row of the op table: "linear"; "placeholder", "get_attr", "output"
  std::string target;  // "seq_blocks.2", "torch.flatten", "view", "x"
  // Of an input: what a sample of it is, without the batch in front. Absent = not known.
  std::optional<TensorType> type = std::nullopt;
  std::vector<Value> args;
  Dict kwargs;
  // Layer attributes by the names of the op's row, complete (defaults filled in):
  // {"in_features": 16, "out_features": 5, "bias": true}. Empty for functions and methods.
  Dict attributes;
  // The number format of each argument ("data_in_0", "weight", "bias") and of the result
  // ("data_out_0"); others are float, and so are those that a rule has left alone by name, which
  // stand here as float. Configurations and metadata derive from these.
  Named<numerics::Precision> precision;
  bool bypass = false;  // the formats are kept, but not applied
  Metadata meta;

  bool is_quantised() const;  // something is, and not bypassed
  // The format that is applied; null for float.
  const numerics::Precision* precision_of(std::string_view argument) const;
  const Value* attribute(std::string_view key) const;
  // Names of the nodes it reads, in order of first use, each once.
  std::vector<std::string> inputs() const;
};

// A parameter (trained) or a buffer (running statistics, constants) by its dotted path.
struct Parameter {
  std::string name;  // "seq_blocks.2.weight"
  Tensor value;
  bool is_buffer = false;
  bool operator==(const Parameter&) const = default;
};

// Named tensors in order: a state dictionary.
using State = Named<Tensor>;

class Graph {
 public:
  Graph() = default;
  Graph(std::string name, std::string class_name)
      : name(std::move(name)), class_name(std::move(class_name)) {}

  std::string name;        // "jsc-toy"
  std::string class_name;  // "JSC_Toy", shown in the model summary
  Dict meta;               // graph-level metadata: {"common": ..., ...}

  // --- nodes, in execution order ---
  const std::vector<Node>& nodes() const { return nodes_; }
  std::vector<Node>& nodes_mut() { return nodes_; }
  auto begin() const { return nodes_.begin(); }
  auto end() const { return nodes_.end(); }
  // Null if there is none.
  const Node* find_node(std::string_view name) const;
  Node* find_node(std::string_view name);
  // Throws Error{Usage} "No node named ... found in graph" with the nearest names.
  const Node& node(std::string_view name) const;
  Node& node(std::string_view name);
  std::size_t index_of(std::string_view name) const;  // position in execution order

  // Appends; gives the node a unique name derived from `node.name` (or its target if empty).
  // The reference is valid until the next change of the node list.
  Node& add(Node node);
  Node& insert_before(std::string_view before, Node node);
  void erase(std::string_view name);  // Error{Usage} if another node reads it
  void replace_uses(std::string_view of, std::string_view with);
  std::vector<std::string> users(std::string_view name) const;  // in execution order, each once
  std::vector<std::string> placeholders() const;
  const Node& output() const;
  // A name that is free, as torch.fx makes it: runs of characters outside [A-Za-z0-9_] become one
  // underscore, a leading digit gets one in front, and names that are taken or mean something in
  // Python count on: add, add_1, add_2, max_1.
  std::string unique_name(std::string_view wanted) const;

  // --- parameters and buffers, in the order of the state dictionary ---
  const std::vector<Parameter>& parameters() const { return parameters_; }
  std::vector<Parameter>& parameters_mut() { return parameters_; }
  const Parameter* find_parameter(std::string_view name) const;
  Parameter* find_parameter(std::string_view name);
  void add_parameter(Parameter parameter);
  // The parameter `argument` of a call_module node: "<target>.<argument>". Null if absent.
  const Parameter* parameter_of(const Node& node, std::string_view argument) const;
  std::int64_t parameter_count() const;  // elements of trained parameters, without buffers
  State state() const;

 private:
  std::vector<Node> nodes_;
  std::vector<Parameter> parameters_;
};

// Equal in all but metadata; parameters to the bit.
bool operator==(const Node& a, const Node& b);
bool operator==(const Graph& a, const Graph& b);

// --- text form, as torch.fx prints it ---
std::string print(const Graph& graph);                   // no trailing newline
std::string print(const Node& node, std::size_t users);  // "%x : [num_users=1] = ..."

// --- helper functions by the names users know ---
const std::string& mase_op(const Node& node);    // from the metadata, else the node's op
const std::string& mase_type(const Node& node);  // "" before add_common_metadata
// ("a.b", "c") for "a.b.c"; ("", name) for a plain name.
std::pair<std::string, std::string> parent_name(std::string_view path);
// The first pattern (support/pattern.h) that matches the whole name.
std::optional<std::string> match_a_pattern(std::string_view name,
                                           std::span<const std::string> patterns);
std::string vf(std::string_view text);   // '.' and ' ' become '_'
std::string v2p(std::string_view text);  // upper case
// Whether two nodes call the same thing: the same kind of layer, function or method, quantised or
// left alone alike. (What users of the original learn from comparing actual targets.)
bool same_call(const Node& a, const Node& b);
// Writes the formats of a node's arguments into its metadata, where it has any: the name that the
// configuration has for the format, and its list of parameters.
void record_precision(Node& node);
// The node of that name in another graph; null if there is none.
const Node* similar_node(const Graph& graph, const Node& node);
// Nodes of two graphs side by side, up to the shorter.
std::vector<std::pair<const Node*, const Node*>> zip(const Graph& a, const Graph& b);

}  // namespace mase::ir
