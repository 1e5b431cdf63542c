// Products of matrices: matmul (vectors, matrices, batches that broadcast) and bmm (batches of
// equal size).
#include <fmt/format.h>

#include "mase/ops/rows.h"
#include "mase/ops/rules.h"

namespace mase::ops {
namespace {

[[noreturn]] void does_not_fit(const Site& site, const ir::Shape& a, const ir::Shape& b) {
  usage_error(fmt::format("{} of {} and {}: the inner sizes do not fit", site.node.op, ir::text(a),
                          ir::text(b)),
              site.where());
}

ir::Shape without_matrix(const ir::Shape& shape) {
  return ir::Shape(shape.begin(), shape.end() - 2);
}

ValueType matmul_type(const Site& site) {
  const TensorType& a = floating_input(site);
  const TensorType& b = site.data(1);
  if (a.shape.empty() || b.shape.empty()) does_not_fit(site, a.shape, b.shape);
  const bool row = a.shape.size() == 1;     // a vector on the left counts as one row
  const bool column = b.shape.size() == 1;  // and on the right as one column
  ir::Shape x = a.shape;
  ir::Shape y = b.shape;
  if (row) x.insert(x.begin(), 1);
  if (column) y.push_back(1);
  if (x.back() != y[y.size() - 2]) does_not_fit(site, a.shape, b.shape);
  ir::Shape out = broadcast(without_matrix(x), without_matrix(y), site.where());
  if (!row) out.push_back(x[x.size() - 2]);
  if (!column) out.push_back(y.back());
  return TensorType{out, promoted(a.dtype, b.dtype)};
}

ValueType bmm_type(const Site& site) {
  const TensorType& a = floating_input(site);
  const TensorType& b = site.data(1);
  if (a.shape.size() != 3 || b.shape.size() != 3) {
    usage_error(fmt::format("bmm reads two batches of matrices, but its inputs are {} and {}",
                            ir::text(a.shape), ir::text(b.shape)),
                site.where());
  }
  if (a.shape[0] != b.shape[0] || a.shape[2] != b.shape[1]) does_not_fit(site, a.shape, b.shape);
  return TensorType{{a.shape[0], a.shape[1], b.shape[2]}, promoted(a.dtype, b.dtype)};
}

// As for a linear layer: one computation per multiplication with its addition, two for the
// gradients. Both operands are data, so both are buffered.
std::optional<Cost> matmul_cost(const Site& site, const ValueType& result) {
  const double inner = static_cast<double>(site.data(0).shape.back());
  const double work = elements(result) * inner;
  return Cost{.computations = work,
              .backward_computations = 2 * work,
              .input_buffer_size = elements(site.data(0)) + elements(site.data(1)),
              .output_buffer_size = elements(result)};
}

}  // namespace

const Op kMatmul{
    .name = "matmul",
    .kind = Kind::BuiltinFunc,
    .functions = {"torch.matmul", "operator.matmul"},
    .arguments = {{.name = "data_in_0"},
                  {.name = "data_in_1", .formal = "other", .group = "weight"}},
    .quantisable = {"data_in_0", "data_in_1"},
    .infer = matmul_type,
    .cost = matmul_cost,
    .summary = "matrix product; leading dimensions broadcast",
};

const Op kBmm{
    .name = "bmm",
    .kind = Kind::BuiltinFunc,
    .functions = {"torch.bmm"},
    .arguments = {{.name = "data_in_0"},
                  {.name = "data_in_1", .formal = "mat2", .group = "weight"}},
    .quantisable = {"data_in_0", "data_in_1"},
    .infer = bmm_type,
    .cost = matmul_cost,
    .summary = "matrix products of two batches of equal size",
};

}  // namespace mase::ops
