// The folder transformed_ckpt, as users of MASE know it.
#include "ch/transformed.h"

#include <fmt/format.h>

#include "mase/io/checkpoint.h"
#include "mase/io/mz.h"
#include "mase/passes/interface/node_meta_param.h"
#include "mase/support/files.h"

namespace ch {

void save_transformed(const mase::ir::Graph& graph, const std::filesystem::path& folder,
                      const mase::Log& log) {
  mase::create_folder(folder);
  mase::io::write_mz(folder / "graph_module.mz", graph);
  mase::io::write_state_dict(folder / "state_dict.pt", graph.state());
  mase::passes::save_node_meta_param(graph, folder / "node_meta_param.toml");
  log.info(fmt::format("Saved mase graph to {}", folder.string()));
}

}  // namespace ch
