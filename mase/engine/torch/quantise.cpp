// Fake quantisation with the straight-through estimator (Bengio, Leonard, Courville 2013): forward
// through the format's kernel, backward the identity.
#include "mase/engine/torch/quantise.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <type_traits>

#include "mase/engine/torch/pch.h"
#include "mase/numerics/integer.h"

namespace mase::engine::torch_engine {
namespace {

struct StraightThrough : torch::autograd::Node {
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    return std::move(gradients);
  }
  std::string name() const override { return "StraightThrough"; }
};

// LibTorch 1.13 holds nodes by shared_ptr, 2.13 by a pointer type of its own.
using NodePointer = decltype(torch::autograd::Edge::function);

template <typename Pointer>
Pointer make_node() {
  if constexpr (std::is_same_v<Pointer, std::shared_ptr<torch::autograd::Node>>) {
    return std::make_shared<StraightThrough>();
  } else {
    return c10::make_intrusive<StraightThrough>();
  }
}

std::span<const float> floats(const at::Tensor& t) {
  return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
}
std::span<float> floats_mut(const at::Tensor& t) {
  return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
}

bool rounds_in_double(const numerics::Precision& precision) {
  return precision.format == &numerics::kInteger &&
         precision.rounding == numerics::Rounding::NearestEven &&
         precision.overflow == numerics::Overflow::Saturate;
}

void quantise_double(const numerics::Precision& precision, const at::Tensor& in, at::Tensor& out) {
  const numerics::IntegerGrid grid = numerics::integer_grid(precision);
  const double low = static_cast<double>(grid.low);
  const double high = static_cast<double>(grid.high);
  const double* from = in.data_ptr<double>();
  double* to = out.data_ptr<double>();
  for (std::int64_t i = 0; i < in.numel(); ++i) {
    const double code = std::nearbyint(from[i] * grid.scale);
    to[i] = (code < low ? low : (code > high ? high : code)) * grid.step;  // NaN stays NaN
  }
}

at::Tensor quantised(const at::Tensor& x, const numerics::Precision& precision) {
  const at::Tensor in = x.detach().contiguous();
  if (in.scalar_type() == at::kDouble && rounds_in_double(precision)) {
    at::Tensor out = at::empty_like(in);
    quantise_double(precision, in, out);
    return out;
  }
  const at::Tensor single = in.to(at::kFloat);
  const at::Tensor out = at::empty_like(single);
  numerics::quantise(precision, {.shape = single.sizes().vec()}, floats(single), floats_mut(out));
  return out.to(in.scalar_type());
}

}  // namespace

at::Tensor fake_quantise(const at::Tensor& x, const numerics::Precision& precision) {
  if (precision.is_float()) return x;
  at::Tensor out = quantised(x, precision);
  if (torch::autograd::compute_requires_grad(x)) {
    auto node = make_node<NodePointer>();
    node->set_next_edges(torch::autograd::collect_next_edges(x));
    torch::autograd::set_history(out, node);
  }
  return out;
}

std::string why_not_quantise(const numerics::Precision& precision) {
  if (precision.is_float()) return "";
  if (!precision.format->quantise) {
    return fmt::format("format '{}' has no rounding kernel", precision.format->name);
  }
  if (precision.format->gradient != numerics::Gradient::StraightThrough) {
    return fmt::format("the gradient rule of format '{}' has no kernel", precision.format->name);
  }
  return "";
}

}  // namespace mase::engine::torch_engine
