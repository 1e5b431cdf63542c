#pragma once

#include "mase/passes/pass.h"

namespace mase::passes {

// Gives every argument and result of every node an empty table of statistics. A layer's arguments
// are its inputs, parameters and running statistics; those of a call are the nodes it reads, each
// once. Needs add_common_metadata.
ir::Graph add_software_metadata(ir::Graph graph);

// The empty tables of one node, as above.
ir::SoftwareMeta software_tables(const ir::Graph& graph, const ir::Node& node);

extern const Pass kAddSoftwareMetadata;

}  // namespace mase::passes
