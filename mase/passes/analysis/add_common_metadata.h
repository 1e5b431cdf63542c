#pragma once

#include <string>

#include "mase/passes/pass.h"

namespace mase::passes {

struct AddCommonMetadataOptions {
  bool add_value = true;                   // keep the tensors themselves
  engine::Mode mode = engine::Mode::Eval;  // of the run that yields the values
  std::string engine = "auto";
};

// Records of every node its type and op, and of its arguments and result shape, element type,
// number format and (with add_value) value. `dummy_in` holds the placeholders' values by name;
// shapes come from the ops' rules, so the engine runs only for values. Values are those before an
// in-place layer overwrites them, and running statistics stay as they are. Needs init_metadata.
// Throws Error{Usage} for missing or unknown inputs and for shapes that do not fit.
ir::Graph add_common_metadata(ir::Graph graph, const ir::Named<ir::Tensor>& dummy_in,
                              const AddCommonMetadataOptions& options = {});

// init_metadata, add_common_metadata and add_software_metadata in one.
ir::Graph add_metadata(ir::Graph graph, const ir::Named<ir::Tensor>& dummy_in,
                       const AddCommonMetadataOptions& options = {});

// The graph's own metadata: where it begins and ends, and what goes in and out there. The nodes'
// must be there.
void record_graph_metadata(ir::Graph& graph);

extern const Pass kAddCommonMetadata;

}  // namespace mase::passes
