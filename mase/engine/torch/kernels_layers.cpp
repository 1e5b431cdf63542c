// Kernels of layers with parameters or a state: linear, batch norms, dropout, identity.
#include <fmt/format.h>

#include "mase/engine/dropout.h"
#include "mase/engine/torch/kernels.h"
#include "mase/engine/torch/pch.h"

namespace mase::engine::torch_engine {
namespace {

// Batch statistics need at least two values per channel: with one, the variance is 0 / 0.
void check_batch(const at::Tensor& x) {
  if (x.dim() < 2 || x.numel() != x.size(1)) return;
  throw Error(ErrorKind::RunFailed,
              fmt::format("Expected more than 1 value per channel when training, got input size {}",
                          ir::text(x.sizes().vec())),
              {}, "take a batch size that leaves no last batch of one row");
}

at::Tensor dropped(const at::Tensor& x, double p, const DropoutSite& site) {
  at::Tensor factors = at::empty(x.sizes(), at::kFloat);
  dropout_factors(site, p, factors.data_ptr<float>(), static_cast<std::size_t>(factors.numel()));
  return at::mul(x, factors.to(x.scalar_type()));
}

}  // namespace

Kernel build_linear(Site& site) {
  return [x = site.data(0), w = site.parameter("weight"),
          b = site.parameter("bias")](const Frame& f) -> Slot {
    return at::linear(f.for_product(x(f)), f.for_product(w(f)), f.for_product(b(f)));
  };
}

Kernel build_batch_norm(Site& site) {
  const ir::Value momentum = site.attribute("momentum");
  return [x = site.data(0), w = site.parameter("weight"), b = site.parameter("bias"),
          mean = site.parameter("running_mean"), var = site.parameter("running_var"),
          tracked = site.parameter("num_batches_tracked"), eps = site.attribute("eps").as_number(),
          cumulative = momentum.is_none(),
          factor = momentum.is_none() ? 0.0 : momentum.as_number()](const Frame& f) -> Slot {
    const at::Tensor in = f.in_full(x(f));
    const bool training = f.mode == Mode::Train;
    const bool of_batch = training || mean.absent();
    if (of_batch) check_batch(in);
    double weight_of_batch = factor;
    if (training && !tracked.absent()) {
      const std::int64_t seen = ++*tracked.raw(f).data_ptr<std::int64_t>();
      if (cumulative) weight_of_batch = 1.0 / static_cast<double>(seen);
    }
    return at::batch_norm(in, w(f), b(f), mean(f), var(f), of_batch, weight_of_batch, eps,
                          /*cudnn_enabled=*/false);
  };
}

Kernel build_dropout(Site& site) {
  site.attribute("inplace");  // results are never written over their inputs
  return [x = site.data(0), p = site.attribute("p").as_number(),
          node = site.index()](const Frame& f) -> Slot {
    if (f.mode == Mode::Eval || p == 0.0) return x(f);
    return dropped(x(f), p, {.seed = f.seed, .step = f.step, .node = node});
  };
}

Kernel build_identity(Site& site) {
  return [x = site.data(0)](const Frame& f) -> Slot { return x(f); };
}

}  // namespace mase::engine::torch_engine
