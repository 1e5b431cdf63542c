#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/ops/op.h"
#include "mase/passes/pass.h"

namespace mase::passes {

// Work and storage of one node for one batch.
struct NodeCost {
  std::string node;   // "seq_blocks_2"
  std::string layer;  // as printed: "Linear(in_features=16, out_features=5, bias=True)"
  ops::Cost cost;
  // Computations times bits: 32 where nothing is quantised, else the width of data_in_0, times that
  // of the weight (of the second operand for a product) where there is one.
  double bitops = 0;
};

struct FlopReport {
  std::vector<NodeCost> nodes;
  std::vector<std::string> uncounted;  // nodes whose op has no rule: "node (op)"
  NodeCost total;                      // sums over the nodes

  std::string table() const;  // Org style, totals in the last row
  ir::Value to_value() const;
};

// What counts. A multiplication with the addition of its product is one computation in both, batch
// norms take 4 per element, activations 1.
enum class FlopConvention {
  Mase,   // weights only: no biases; every output of a convolution reads all channels
  Exact,  // biases too (a parameter, an addition per output); groups read their own channels only
};

// `inputs`: the types of the placeholders by name; if empty, those that add_common_metadata
// recorded. Error{Usage} if there are none or they do not fit.
FlopReport report_flops(const ir::Graph& graph, const ir::Named<ops::TensorType>& inputs = {},
                        FlopConvention convention = FlopConvention::Mase);

// The types of the placeholders in the metadata, with this many rows if `batch_size` is positive.
ir::Named<ops::TensorType> recorded_inputs(const ir::Graph& graph, std::int64_t batch_size = 0);

extern const Pass kReportFlops;

}  // namespace mase::passes

namespace fmt {

template <>
struct formatter<mase::passes::FlopReport> : formatter<std::string_view> {
  template <typename FormatContext>
  auto format(const mase::passes::FlopReport& report, FormatContext& context) const {
    return formatter<std::string_view>::format(report.table() + "\n", context);
  }
};

}  // namespace fmt
