#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/numerics/format.h"

// Fake quantisation of one edge of the graph.
namespace mase::engine::torch_engine {

// The number format of an edge and where, among the parameters of the graph, its state lies.
struct EdgeFormat {
  numerics::Precision precision;  // float: left alone
  bool is_parameter = false;
  std::vector<std::size_t> state;
};
EdgeFormat format_of(const ir::Graph& graph, const ir::Node& node, std::string_view argument);

// Values rounded to the format by its kernel in mase::numerics, so the bits are those of every
// other engine and export; double tensors are rounded in double precision where the format is a
// grid. Gradients follow the format's rule. A float precision returns `x`.
at::Tensor fake_quantise(const at::Tensor& x, const EdgeFormat& format,
                         std::span<const at::Tensor> parameters);

}  // namespace mase::engine::torch_engine
