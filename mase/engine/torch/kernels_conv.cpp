// Kernels of convolutions and poolings.
#include "mase/engine/torch/kernels.h"
#include "mase/engine/torch/pch.h"
#include "mase/ops/window.h"

namespace mase::engine::torch_engine {
namespace {

using Sizes = std::vector<std::int64_t>;

// at::pad takes the last dimension first, each in front and behind.
Sizes padding_around(const Sizes& kernel, const Sizes& dilation, const ir::Value& padding) {
  Sizes out;
  const auto* text = padding.get<std::string>();
  const Sizes around = text ? Sizes(kernel.size(), 0) : ops::sizes(padding, kernel.size());
  for (std::size_t i = kernel.size(); i-- > 0;) {
    const std::int64_t both =
        text && *text == "same" ? dilation[i] * (kernel[i] - 1) : 2 * around[i];
    out.push_back(both / 2);
    out.push_back(both - both / 2);
  }
  return out;
}

Kernel build_conv(Site& site, std::size_t rank) {
  site.attribute("in_channels");
  site.attribute("out_channels");
  site.attribute("bias");
  const Sizes kernel = ops::sizes(site.attribute("kernel_size"), rank);
  const Sizes dilation = ops::sizes(site.attribute("dilation"), rank);
  const ir::Value padding = site.attribute("padding");
  const std::string mode = site.attribute("padding_mode").as_text();
  const bool zeros = mode == "zeros";
  const bool by_name = padding.is<std::string>();
  return [=, around = padding_around(kernel, dilation, padding),
          symmetric = by_name || !zeros ? Sizes(rank, 0) : ops::sizes(padding, rank),
          stride = ops::sizes(site.attribute("stride"), rank),
          groups = site.attribute("groups").as_int(), x = site.data(0),
          w = site.parameter("weight"), b = site.parameter("bias")](const Frame& f) -> Slot {
    at::Tensor in = x(f);
    if (!zeros) {
      in = at::pad(f.in_full(in), around, mode);  // has no form for bfloat16
    } else if (by_name) {
      in = at::constant_pad_nd(in, around, 0);
    }
    in = f.for_product(in);
    const at::Tensor weight = f.for_product(w(f));
    const at::Tensor bias = f.for_product(b(f));
    if (rank == 1) return at::conv1d(in, weight, bias, stride, symmetric, dilation, groups);
    return at::conv2d(in, weight, bias, stride, symmetric, dilation, groups);
  };
}

Kernel build_max_pool(Site& site, std::size_t rank) {
  site.attribute("return_indices");  // False, or the shape rule refuses it
  return [rank, x = site.data(0), kernel = ops::sizes(site.attribute("kernel_size"), rank),
          stride = ops::sizes(site.attribute("stride"), rank),
          padding = ops::sizes(site.attribute("padding"), rank),
          dilation = ops::sizes(site.attribute("dilation"), rank),
          ceil = site.attribute("ceil_mode").as_bool()](const Frame& f) -> Slot {
    if (rank == 1) return at::max_pool1d(x(f), kernel, stride, padding, dilation, ceil);
    return at::max_pool2d(x(f), kernel, stride, padding, dilation, ceil);
  };
}

// PyTorch takes None in output_size for the size that the input has.
Sizes adaptive_target(const ir::Value& wanted, const at::Tensor& in, std::size_t rank) {
  const auto* tuple = wanted.get<ir::Tuple>();
  Sizes out;
  for (std::size_t i = 0; i < rank; ++i) {
    const ir::Value& size = tuple ? tuple->items[i] : wanted;
    const auto dim = in.dim() - static_cast<std::int64_t>(rank - i);
    out.push_back(size.is_none() ? in.size(dim) : size.as_int());
  }
  return out;
}

}  // namespace

Kernel build_conv1d(Site& site) {
  return build_conv(site, 1);
}

Kernel build_conv2d(Site& site) {
  return build_conv(site, 2);
}

Kernel build_max_pool1d(Site& site) {
  return build_max_pool(site, 1);
}

Kernel build_max_pool2d(Site& site) {
  return build_max_pool(site, 2);
}

Kernel build_avg_pool1d(Site& site) {
  return [x = site.data(0), kernel = ops::sizes(site.attribute("kernel_size"), 1),
          stride = ops::sizes(site.attribute("stride"), 1),
          padding = ops::sizes(site.attribute("padding"), 1),
          ceil = site.attribute("ceil_mode").as_bool(),
          with_padding = site.attribute("count_include_pad").as_bool()](const Frame& f) -> Slot {
    return at::avg_pool1d(x(f), kernel, stride, padding, ceil, with_padding);
  };
}

Kernel build_avg_pool2d(Site& site) {
  const ir::Value divisor = site.attribute("divisor_override");
  return [x = site.data(0), kernel = ops::sizes(site.attribute("kernel_size"), 2),
          stride = ops::sizes(site.attribute("stride"), 2),
          padding = ops::sizes(site.attribute("padding"), 2),
          ceil = site.attribute("ceil_mode").as_bool(),
          with_padding = site.attribute("count_include_pad").as_bool(),
          divisor = divisor.is_none()
                        ? c10::optional<std::int64_t>()
                        : c10::optional<std::int64_t>(divisor.as_int())](const Frame& f) -> Slot {
    return at::avg_pool2d(x(f), kernel, stride, padding, ceil, with_padding, divisor);
  };
}

Kernel build_adaptive_avg_pool1d(Site& site) {
  return [x = site.data(0), wanted = site.attribute("output_size")](const Frame& f) -> Slot {
    const at::Tensor in = x(f);
    return at::adaptive_avg_pool1d(in, adaptive_target(wanted, in, 1));
  };
}

Kernel build_adaptive_avg_pool2d(Site& site) {
  return [x = site.data(0), wanted = site.attribute("output_size")](const Frame& f) -> Slot {
    const at::Tensor in = x(f);
    return at::adaptive_avg_pool2d(in, adaptive_target(wanted, in, 2));
  };
}

}  // namespace mase::engine::torch_engine
