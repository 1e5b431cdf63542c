// Rows of a data set as the inputs of a graph.
#include "mase/passes/batches.h"

#include <memory>

namespace mase::passes {

BatchSource batches(const data::Split& split, std::int64_t batch_size,
                    std::optional<std::uint64_t> shuffle_seed, const std::string& placeholder) {
  const auto loader = std::make_shared<data::Loader>(
      split.rows(), batch_size, shuffle_seed.has_value(), shuffle_seed.value_or(0));
  loader->start_epoch(0);
  return [loader, split, placeholder, next = std::int64_t{0}]() mutable {
    if (next == loader->batches()) return std::optional<ir::Named<ir::Tensor>>();
    ir::Tensor features = data::take(split, loader->batch(next++)).features;
    return std::optional(ir::Named<ir::Tensor>{{placeholder, std::move(features)}});
  };
}

}  // namespace mase::passes
