#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "mase/passes/statistics/groups.h"

namespace mase::passes::statistics {

// Mean and variance per group.
struct Moments {
  ir::Shape shape;
  std::vector<double> mean;
  std::vector<double> variance;
  std::int64_t count = 0;  // elements per group
};

// How variances are taken: in one pass as the samples come (population variance), or from all
// samples at the end (unbiased).
class MomentCollector {
 public:
  virtual ~MomentCollector() = default;
  virtual void update(const ir::Tensor& sample) = 0;
  // Nothing if there are fewer than two elements per group.
  virtual std::optional<Moments> moments() const = 0;
  virtual std::int64_t count() const = 0;
};
std::unique_ptr<MomentCollector> online_moments(Grouper grouper);
std::unique_ptr<MomentCollector> precise_moments(Grouper grouper);

}  // namespace mase::passes::statistics
