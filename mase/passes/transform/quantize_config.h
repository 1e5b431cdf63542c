#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/numerics/format.h"
#include "mase/ops/op.h"
#include "mase/support/diagnostics.h"

// The configuration of a quantised node, as users write it:
//   {"name": "integer", "data_in_width": 8, "data_in_frac_width": 4, "weight_width": 8, ...}
// Keys are <group>_<parameter of the format>. A group stands for one or more arguments of a node:
// `data_in` for its inputs, `weight` and `bias` for its parameters (and `weight` for the second
// operand of matmul). Beside them: name (the format, None or "NA" = leave the node alone), bypass
// (true = leave it alone, but keep the configuration), rounding and overflow (of all groups).
namespace mase::passes {

// The group of a quantisable argument: "data_in" for data_in_0, "weight" for weight.
std::string_view config_group(const ops::Op& op, std::string_view argument);
// Every group that some op has: bias, data_in, weight.
std::vector<std::string> config_groups();

struct QuantiseConfig {
  std::string name;  // as written ("fixed" stays "fixed"); "" = none
  const numerics::Format* format = nullptr;
  bool bypass = false;
  ir::Dict written;                       // the whole configuration, for `Node::quantisation`
  ir::Named<numerics::Precision> groups;  // those that are complete

  bool leaves_alone() const { return name.empty() || bypass; }
};

// Where the keys of a configuration stand, for messages.
using KeyPlaces = ir::Named<Location>;

// Reads a configuration. What can be wrong without knowing the node goes to `diagnostics`: no name,
// unknown format or key, a value out of range, keys missing from a group that others belong to.
QuantiseConfig read_quantise_config(const ir::Dict& config, const Location& where,
                                    const KeyPlaces& places, Diagnostics& diagnostics);

// The configuration that gives all groups these precisions (one of float: none). Throws
// Error{Usage} if they belong to different formats.
ir::Dict write_quantise_config(const ir::Named<numerics::Precision>& groups);

// Puts the formats on a node: precision, quantisation and the metadata that is there. Arguments the
// node does not have (a missing bias) are skipped; an optional group that is not given leaves its
// argument float. Missing groups go to `diagnostics`.
void apply_quantise_config(const QuantiseConfig& config, const ir::Graph& graph, const ops::Op& op,
                           ir::Node& node, const Location& where, Diagnostics& diagnostics);

}  // namespace mase::passes
