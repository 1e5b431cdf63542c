#pragma once

#include <string>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/support/result.h"

// The number formats of a network as plain dictionaries, as they stand in the `mase` section of our
// Lightning files: parameters stay float there, so without them a quantised network would come back
// as a float one.
//
//   {"seq_blocks_2": {"op": "linear",
//                     "precision": {"weight": {"format": "integer",
//                                              "values": {"width": 8, "frac_width": 4, ...}}}}}
namespace mase::io {

// By node, quantised nodes only: empty for a float network.
ir::Dict quantisation_of(const ir::Graph& graph);

// The float network with these formats, in its nodes' metadata, too. What formats keep (learned
// steps) comes from `state`, where it is there. A ReadError names what is no such dictionary, the
// node, op, argument or format that this network or this build lacks, and a state that is missing.
Result<ir::Graph> with_quantisation(ir::Graph graph, const ir::Dict& quantisation,
                                    const ir::State& state = {});

// In what two quantisations differ, a sentence per argument: "node seq_blocks_2: weight is
// integer(8, 4) there, float here". Configurations may be written in several ways and do not count.
std::vector<std::string> quantisation_differences(const ir::Dict& here, const ir::Dict& there);

// "3 nodes (seq_blocks_2, seq_blocks_5, ...)" of a quantisation, for messages.
std::string quantised_nodes_text(const ir::Dict& quantisation);

}  // namespace mase::io
