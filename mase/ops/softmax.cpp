// Softmax: exp(x - max) / sum of the same along one dimension.
#include "mase/ops/rows.h"
#include "mase/ops/rules.h"

namespace mase::ops {
namespace {

ValueType softmax_type(const Site& site) {
  const TensorType& type = floating_input(site);
  const ir::Value dim = site.attribute("dim");
  if (!dim.is_none()) dimension(dim.as_int(), type.shape.size(), site.where());
  return type;
}

// Per element: subtract the maximum, exponential, division.
std::optional<Cost> softmax_cost(const Site& site, const ValueType& result) {
  const double n = elements(site.data());
  return Cost{.computations = 3 * n,
              .backward_computations = 3 * n,
              .input_buffer_size = n,
              .output_buffer_size = elements(result)};
}

}  // namespace

const Op kSoftmax{
    .name = "softmax",
    .function_kind = Kind::ImplicitFunc,
    .layer = "Softmax",
    .functions = {"torch.nn.functional.softmax", "torch.softmax"},
    .arguments = {{.name = "data_in_0"}},
    // Without a dimension: 0 for scalars, vectors and rank 3, else 1, as PyTorch chooses.
    .attributes = {{.field = {.name = "dim", .standard = kOpen}}},
    .infer = softmax_type,
    .cost = softmax_cost,
    .summary = "exponentials scaled to sum 1 along a dimension",
};

}  // namespace mase::ops
