// The table of all passes: one line each, sorted by name.
#include "mase/passes/table.h"

#include <vector>

#include "mase/passes/analysis/report_quantized.h"
#include "mase/passes/analysis/summarize_quantization.h"
#include "mase/passes/interface/node_meta_param.h"
#include "mase/passes/transform/metadata_value_type_cast.h"
#include "mase/passes/transform/quantize.h"

namespace mase::passes {

std::span<const Pass* const> builtin_passes() {
  static const std::vector<const Pass*> kPasses{
      &kLoadNodeMetaParam, &kMetadataValueTypeCast, &kQuantize,
      &kReportQuantized,   &kSaveNodeMetaParam,     &kSummarizeQuantization,
  };
  return kPasses;
}

}  // namespace mase::passes
