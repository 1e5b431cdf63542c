// The table of all passes: one line each, sorted by name.
#include "mase/passes/table.h"

#include <vector>

#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/passes/analysis/add_software_metadata.h"
#include "mase/passes/analysis/calculate_avg_bits.h"
#include "mase/passes/analysis/init_metadata.h"
#include "mase/passes/analysis/plot_graph.h"
#include "mase/passes/analysis/profile_statistics.h"
#include "mase/passes/analysis/report_flops.h"
#include "mase/passes/analysis/report_graph.h"
#include "mase/passes/analysis/report_node_meta_param.h"
#include "mase/passes/analysis/report_node_shape.h"
#include "mase/passes/analysis/report_node_type.h"
#include "mase/passes/analysis/report_plan.h"
#include "mase/passes/analysis/report_quantized.h"
#include "mase/passes/analysis/summarize_quantization.h"
#include "mase/passes/analysis/verify_metadata.h"
#include "mase/passes/interface/mase_graph.h"
#include "mase/passes/interface/node_meta_param.h"
#include "mase/passes/transform/metadata_value_type_cast.h"
#include "mase/passes/transform/quantize.h"

namespace mase::passes {

std::span<const Pass* const> builtin_passes() {
  // clang-format off
  static const std::vector<const Pass*> kPasses{
      &kAddCommonMetadata,
      &kAddSoftwareMetadata,
      &kCalculateAvgBits,
      &kInitMetadata,
      &kLoadMaseGraph,
      &kLoadNodeMetaParam,
      &kMetadataValueTypeCast,
      &kPlotGraph,
      &kProfileStatistics,
      &kQuantize,
      &kReportFlops,
      &kReportGraph,
      &kReportNodeMetaParam,
      &kReportNodeShape,
      &kReportNodeType,
      &kReportPlan,
      &kReportQuantized,
      &kSaveMaseGraph,
      &kSaveNodeMetaParam,
      &kSummarizeQuantization,
      &kVerifyCommonMetadata,
      &kVerifyMetadata,
      &kVerifySoftwareMetadata,
  };
  // clang-format on
  return kPasses;
}

}  // namespace mase::passes
