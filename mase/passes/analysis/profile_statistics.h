#pragma once

#include <string>
#include <vector>

#include "mase/passes/pass.h"
#include "mase/passes/select.h"
#include "mase/passes/statistics/statistic.h"

namespace mase::passes {

struct ProfileStatisticsOptions {
  By by = By::Type;
  std::vector<std::string> target_weight_nodes = {};      // parameters and running statistics
  std::vector<std::string> target_activation_nodes = {};  // what the nodes read
  std::vector<statistics::Request> weight_statistics = {};
  std::vector<statistics::Request> activation_statistics = {};
  std::int64_t num_samples = 32;  // rows, rounded up to whole batches
  bool optional = false;          // targets that select nothing are no mistake
  engine::Mode mode = engine::Mode::Eval;
  std::string engine = "auto";
};

// Collects statistics of the parameters and of the inputs of chosen nodes; they go into the
// software metadata, software.args.<argument>.stat. Inputs are taken before a node runs and go in
// row by row; each row keeps a leading dimension of 1. Parameters go in as a whole. Running
// statistics stay as they are. Needs add_software_metadata. Throws one Error{Usage} with all
// problems: targets that select nothing, unknown statistics and options, too few batches.
ir::Graph profile_statistics(ir::Graph graph, const ProfileStatisticsOptions& options,
                             const BatchSource& batches, std::vector<RuleHits>* hits = nullptr);

extern const Pass kProfileStatistics;

}  // namespace mase::passes
