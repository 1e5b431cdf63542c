// Kernels of activations. `inplace` layers write to a new tensor as well: the values are the same,
// and captured inputs stay what the node read.
#include "mase/engine/torch/kernels.h"
#include "mase/engine/torch/pch.h"

namespace mase::engine::torch_engine {
namespace {

Kernel clamped(Site& site, double low, double high) {
  site.attribute("inplace");
  return [x = site.data(0), low, high](const Frame& f) -> Slot {
    return at::hardtanh(x(f), low, high);
  };
}

// PyTorch's choice when no dimension is given.
std::int64_t implicit_dimension(std::int64_t rank) {
  return rank == 0 || rank == 1 || rank == 3 ? 0 : 1;
}

}  // namespace

Kernel build_relu(Site& site) {
  site.attribute("inplace");
  return [x = site.data(0)](const Frame& f) -> Slot { return at::relu(x(f)); };
}

Kernel build_relu6(Site& site) {
  return clamped(site, 0.0, 6.0);
}

Kernel build_hardtanh(Site& site) {
  return clamped(site, site.attribute("min_val").as_number(),
                 site.attribute("max_val").as_number());
}

Kernel build_sigmoid(Site& site) {
  return [x = site.data(0)](const Frame& f) -> Slot { return at::sigmoid(x(f)); };
}

Kernel build_tanh(Site& site) {
  return [x = site.data(0)](const Frame& f) -> Slot { return at::tanh(x(f)); };
}

Kernel build_softmax(Site& site) {
  const ir::Value dim = site.attribute("dim");
  return [x = site.data(0), given = !dim.is_none(),
          dim = dim.is_none() ? 0 : dim.as_int()](const Frame& f) -> Slot {
    const at::Tensor in = f.in_full(x(f));
    return at::softmax(in, given ? dim : implicit_dimension(in.dim()));
  };
}

}  // namespace mase::engine::torch_engine
