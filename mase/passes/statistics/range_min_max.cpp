// range_min_max: smallest and largest value.
#include <algorithm>
#include <cmath>

#include "mase/passes/statistics/groups.h"
#include "mase/passes/statistics/rows.h"

namespace mase::passes::statistics {
namespace {

// A NaN anywhere is the result, as PyTorch has it.
float smaller(float a, float b) {
  return std::isnan(a) || a < b ? a : b;
}
float larger(float a, float b) {
  return std::isnan(a) || a > b ? a : b;
}

class RangeMinMax : public Collector {
 public:
  explicit RangeMinMax(Grouper grouper) : grouper_(std::move(grouper)) {}

  void update(const ir::Tensor& sample) override {
    const Groups groups = grouper_(sample);
    if (groups.size == 0) return;
    for (std::size_t i = 0; i < groups.count; ++i) {
      for (const float value : groups.group(i)) {
        if (i == low_.size()) {
          low_.push_back(value);
          high_.push_back(value);
        }
        low_[i] = smaller(low_[i], value);
        high_[i] = larger(high_[i], value);
      }
    }
    shape_ = groups.shape;
    count_ += static_cast<std::int64_t>(groups.size);
  }

  ir::Dict result() const override {
    if (count_ == 0) {
      return {
          {"min", kNotAvailable}, {"max", kNotAvailable}, {"range", kNotAvailable}, {"count", 0}};
    }
    const std::vector<double> low(low_.begin(), low_.end());
    const std::vector<double> high(high_.begin(), high_.end());
    ir::Dict out = range_result(shape_, low, high, count_);
    if (count_ < 2) *ir::find(out, "range") = kNotAvailable;
    return out;
  }

 private:
  Grouper grouper_;
  ir::Shape shape_;
  std::vector<float> low_;
  std::vector<float> high_;
  std::int64_t count_ = 0;
};

std::unique_ptr<Collector> make_range_min_max(const Options& options) {
  return std::make_unique<RangeMinMax>(Grouper(read_dims(options), options.flag("abs")));
}

}  // namespace

const Statistic kRangeMinMax{
    .name = "range_min_max",
    .summary = "smallest and largest value",
    .options = {device_option(), dims_option(), abs_option()},
    .make = make_range_min_max,
};

}  // namespace mase::passes::statistics
