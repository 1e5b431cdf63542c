// Fake quantisation: forward through the format's kernel, backward through its gradient, or
// straight through where it has none.
#include "mase/engine/torch/quantise.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <type_traits>

#include "mase/engine/torch/pch.h"
#include "mase/ir/format_state.h"
#include "mase/support/error.h"

namespace mase::engine::torch_engine {
namespace {

std::span<const float> floats(const at::Tensor& t) {
  return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
}
std::span<float> floats_mut(const at::Tensor& t) {
  return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
}

at::Tensor single(const at::Tensor& t) {
  return t.detach().to(at::kFloat).contiguous();
}

// An edge with the tensors that its state points into.
struct BoundEdge {
  numerics::Edge edge;
  std::vector<at::Tensor> state;
  std::vector<std::span<const float>> spans;
};

void bind_edge(BoundEdge& bound, const at::Tensor& x, const EdgeFormat& format,
               std::span<const at::Tensor> state) {
  const numerics::Precision& precision = format.precision;
  bound.edge = format.is_parameter ? numerics::parameter_edge(x.sizes().vec())
                                   : numerics::data_edge(x.sizes().vec());
  for (const at::Tensor& tensor : state) {
    bound.state.push_back(single(tensor));
    if (tensor.sizes().vec() != precision.format->state_shape(precision, bound.edge)) {
      throw Error(ErrorKind::RunFailed,
                  fmt::format("{} has learned {} values of another tensor than one of {}",
                              precision.text(), tensor.numel(), ir::text(bound.edge.shape)));
    }
  }
  for (const at::Tensor& tensor : bound.state) bound.spans.push_back(floats(tensor));
  bound.edge.state = bound.spans;
}

struct FormatGradient : torch::autograd::Node {
  EdgeFormat format;
  at::Tensor input;  // float32; undefined if the gradient goes straight through
  std::vector<at::Tensor> state;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    if (!input.defined() || !gradients[0].defined()) {
      gradients.resize(1 + state.size());
      return std::move(gradients);
    }
    BoundEdge bound;
    bind_edge(bound, input, format, state);
    const at::Tensor given = single(gradients[0]);
    const at::Tensor of_input = at::empty_like(given);
    torch::autograd::variable_list out{of_input};
    std::vector<std::span<float>> of_state;
    for (const at::Tensor& tensor : bound.state) out.push_back(at::zeros_like(tensor));
    for (std::size_t i = 1; i < out.size(); ++i) of_state.push_back(floats_mut(out[i]));
    format.precision.format->gradient(format.precision, bound.edge, floats(input), floats(given),
                                      floats_mut(of_input), of_state);
    for (at::Tensor& tensor : out) tensor = tensor.to(gradients[0].scalar_type());
    return out;
  }
  std::string name() const override { return "FormatGradient"; }
};

// LibTorch 1.13 holds nodes by shared_ptr, 2.13 by a pointer type of its own.
using NodePointer = decltype(torch::autograd::Edge::function);

auto make_node() {
  if constexpr (std::is_same_v<NodePointer, std::shared_ptr<torch::autograd::Node>>) {
    return std::make_shared<FormatGradient>();
  } else {
    return c10::make_intrusive<FormatGradient>();
  }
}

// Rounding of double tensors, where codes lie in even steps.
void quantise_double(const numerics::AffineGrid& grid, const at::Tensor& in, at::Tensor& out) {
  const double step = grid.steps[0];
  const double* from = in.data_ptr<double>();
  double* to = out.data_ptr<double>();
  for (std::int64_t i = 0; i < in.numel(); ++i) {
    const double code = std::nearbyint(from[i] / step);
    to[i] = (code < grid.low ? grid.low : (code > grid.high ? grid.high : code)) * step;
  }
}

bool rounds_in_double(const numerics::AffineGrid& grid) {
  return grid.steps.size() == 1 && grid.zero == 0 &&
         grid.rounding == numerics::Rounding::NearestEven &&
         grid.overflow == numerics::Overflow::Saturate;
}

at::Tensor quantised(const at::Tensor& x, const EdgeFormat& format,
                     std::span<const at::Tensor> state) {
  BoundEdge bound;
  bind_edge(bound, x, format, state);
  const at::Tensor in = x.detach().contiguous();
  if (in.scalar_type() == at::kDouble) {
    const auto grid = numerics::affine(format.precision, bound.edge);
    if (grid && rounds_in_double(*grid)) {
      at::Tensor out = at::empty_like(in);
      quantise_double(*grid, in, out);
      return out;
    }
  }
  const at::Tensor from = in.to(at::kFloat);
  const at::Tensor out = at::empty_like(from);
  numerics::quantise(format.precision, bound.edge, floats(from), floats_mut(out));
  return out.to(in.scalar_type());
}

}  // namespace

EdgeFormat format_of(const ir::Graph& graph, const ir::Node& node, std::string_view argument) {
  const numerics::Precision* precision = node.precision_of(argument);
  if (!precision) return {};
  EdgeFormat out{.precision = *precision,
                 .is_parameter = graph.parameter_of(node, argument) != nullptr,
                 .state = {}};
  for (const numerics::StateRow& row : precision->format->state) {
    const std::string name = ir::state_name(node, argument, row.name);
    const ir::Parameter* parameter = graph.find_parameter(name);
    if (!parameter) {
      unsupported(fmt::format("the graph has no parameter '{}'", name), {.node = node.name});
    }
    out.state.push_back(static_cast<std::size_t>(parameter - graph.parameters().data()));
  }
  return out;
}

at::Tensor fake_quantise(const at::Tensor& x, const EdgeFormat& format,
                         std::span<const at::Tensor> parameters) {
  if (format.precision.is_float()) return x;
  std::vector<at::Tensor> state;
  for (const std::size_t index : format.state) state.push_back(parameters[index]);
  at::Tensor out = quantised(x, format, state);
  const at::ArrayRef<at::Tensor> states(state);
  if (torch::autograd::compute_requires_grad(x, states)) {
    auto node = make_node();
    node->format = format;
    if (format.precision.format->gradient) {
      node->input = single(x);
      node->state = state;
    }
    node->set_next_edges(torch::autograd::collect_next_edges(x, states));
    torch::autograd::set_history(out, NodePointer(node));
  }
  return out;
}

}  // namespace mase::engine::torch_engine
