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
// Keys are <group>_<field of the format>. A group stands for one or more arguments of a node:
// `data_in` for its inputs, `weight` and `bias` for its parameters (and `weight` for the second
// operand of matmul), `data_out` for its result. Beside them: name (the format of all groups, None
// or "NA" = leave them alone), <group>_name (of one), bypass (true = apply nothing, but keep the
// formats), and, for all groups whose format has them, the fields that its list does not show:
// rounding, overflow, is_signed, granularity.
namespace mase::passes {

// The group of a quantisable argument: "data_in" for data_in_0, "weight" for weight.
std::string_view config_group(const ops::Op& op, std::string_view argument);
// Every group that some op has: bias, data_in, data_out, weight.
std::vector<std::string> config_groups();
// What an op lets formats be put on: its arguments, and its result.
std::vector<std::string_view> quantisable_parts(const ops::Op& op);

struct QuantiseConfig {
  bool bypass = false;
  // Those that are complete, with what was asked for; float = left alone by name.
  struct Group {
    numerics::Precision precision;
    bool sign_given = false;  // is_signed was written
  };
  ir::Named<Group> groups;
  const numerics::Format* format = nullptr;  // of `name`

  bool leaves_alone() const;  // every group by name
};

// Where the keys of a configuration stand, for messages.
using KeyPlaces = ir::Named<Location>;

// Reads a configuration. What can be wrong without knowing the node goes to `diagnostics`: no name,
// unknown format or key, a value out of range, keys missing from a group that others belong to.
QuantiseConfig read_quantise_config(const ir::Dict& config, const Location& where,
                                    const KeyPlaces& places, Diagnostics& diagnostics);

// The configuration that gives the groups these precisions.
ir::Dict write_quantise_config(const ir::Named<numerics::Precision>& groups);
// That of a node; {"name": None} where it was left alone by name, empty where no rule was.
ir::Dict quantise_config_of(const ir::Node& node);

// Puts the formats on a node and into the metadata that is there. Arguments the node does not have
// (a missing bias) are skipped; an optional group that is not given leaves its argument float.
// Missing groups go to `diagnostics`.
void apply_quantise_config(const QuantiseConfig& config, const ir::Graph& graph, const ops::Op& op,
                           ir::Node& node, const Location& where, Diagnostics& diagnostics);

}  // namespace mase::passes
