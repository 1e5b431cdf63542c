// Counting the work of a chain of layers.
#include "bench/layers.h"

namespace mase::bench {
namespace {

double elements(const Layer& layer) {
  double count = 1;
  for (const std::int64_t size : layer.shape) count *= static_cast<double>(size);
  return count;
}

double multiplications(const Layer& layer) {
  const double per_result = layer.op == "linear" ? static_cast<double>(layer.in)
                            : layer.op == "conv2d"
                                ? static_cast<double>(layer.in * layer.kernel * layer.kernel)
                                : 0.0;
  return per_result * elements(layer);
}

bool is_norm(const Layer& layer) {
  return layer.op.rfind("batch_norm", 0) == 0;
}

}  // namespace

double train_flops(const std::vector<Layer>& layers) {
  double flops = 20 * elements(layers.back());
  bool gradient_of_input = false;
  for (const Layer& layer : layers) {
    flops += multiplications(layer) * (gradient_of_input ? 6 : 4);
    if (is_norm(layer)) flops += 16 * elements(layer);
    gradient_of_input = gradient_of_input || is_norm(layer) || multiplications(layer) > 0;
  }
  return flops;
}

double eval_flops(const std::vector<Layer>& layers) {
  double flops = 10 * elements(layers.back());
  for (const Layer& layer : layers) {
    flops += 2 * multiplications(layer) + (is_norm(layer) ? 2 * elements(layer) : 0);
  }
  return flops;
}

}  // namespace mase::bench
