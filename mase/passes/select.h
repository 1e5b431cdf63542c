#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/passes/pass.h"
#include "mase/support/diagnostics.h"

// How rules select nodes: shared by all passes that have them.
namespace mase::passes {

// What the key of a rule is compared with.
enum class By {
  Type,       // the node's mase_op: "linear"
  Name,       // the node's name: "seq_blocks_2"
  RegexName,  // a Pattern (support/pattern.h) for the whole name: "seq_blocks_[25]"
};
std::string_view name(By by);  // "regex_name"
// The names in order, for choices of an option.
std::vector<std::string_view> by_names();
By parse_by(std::string_view text, const Location& where = {});  // Error{Usage} with the nearest

struct Rule {
  std::string key;
  Location where = {};
  bool optional = false;  // selecting nothing is no mistake
};

struct Selection {
  std::vector<RuleHits> hits;     // one per rule, in their order
  std::vector<int> rule_of_node;  // per node of the graph: index of its rule, -1 = none

  bool selects(std::size_t node) const { return rule_of_node[node] >= 0; }
};

// Why a node may not be selected ("cannot be quantised"), or "".
using WhyNot = std::function<std::string(const ir::Node&)>;

// Gives each node the first rule that matches it. Rules that select nothing and are not optional
// are problems, with the nearest names or with why the nodes that match were refused; so are broken
// regular expressions.
Selection select_nodes(const ir::Graph& graph, By by, std::span<const Rule> rules,
                       Diagnostics& diagnostics, const WhyNot& why_not = {});

}  // namespace mase::passes
