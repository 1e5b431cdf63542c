// Quantisation-aware training that goes on: the formats come from the checkpoint, never by chance
// from what the network happens to be built as.
#include "mase/train/quantised.h"

#include <fmt/format.h>

#include "mase/io/graph/load.h"
#include "mase/io/graph/quantisation.h"
#include "mase/io/torch/checkpoint_keys.h"
#include "mase/support/error.h"

namespace mase::train {

ir::Graph as_trained(ir::Graph graph, const Resumption& from, const Output& output) {
  const ir::Dict here = io::quantisation_of(graph);
  const ir::Value* there = ir::find(from.checkpoint.mase, io::kQuantisation);
  if (!here.empty() && !there) {
    output.warn(fmt::format("{} says nothing of number formats: it goes on with those of {} here",
                            from.path.string(), io::quantised_nodes_text(here)));
  } else if (!here.empty() && *there == ir::Value(ir::Dict{})) {
    usage_error(fmt::format("the run to go on with trained the float network, and here {} are "
                            "quantised",
                            io::quantised_nodes_text(here)),
                {.file = from.path.string()},
                "begin a new run with --load, or go on with the float network");
  }
  const ir::Dict taken = io::load_quantisation(from.checkpoint, from.path, graph);
  if (!taken.empty()) {
    output.info(fmt::format("{} is of a quantised network: its number formats are put on {}",
                            from.path.string(), io::quantised_nodes_text(taken)));
  }
  return graph;
}

ir::Graph resumed_graph(ir::Graph graph, const FitOptions& options, const Output& output) {
  if (!options.resume) return graph;
  const Resumption from = find_resumption(*options.resume, output.folder, graph);
  return as_trained(std::move(graph), from, output);
}

}  // namespace mase::train
