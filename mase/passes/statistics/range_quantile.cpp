// range_quantile: the values below which 1 - q and q of all values lie, by linear interpolation
// between the two nearest (R. J. Hyndman and Y. Fan, 1996, type 7), in float32 as PyTorch does.
#include <algorithm>
#include <cmath>

#include "mase/passes/statistics/groups.h"
#include "mase/passes/statistics/rows.h"

namespace mase::passes::statistics {
namespace {

float quantile(const std::vector<float>& sorted, float q) {
  const float rank = q * static_cast<float>(sorted.size() - 1);
  const float below = std::floor(rank);
  const float weight = rank - below;
  const float a = sorted[static_cast<std::size_t>(below)];
  const float b = sorted[static_cast<std::size_t>(std::ceil(rank))];
  return weight < 0.5F ? a + weight * (b - a) : b - (b - a) * (1 - weight);
}

class RangeQuantile : public Collector {
 public:
  RangeQuantile(Grouper grouper, double q) : grouper_(std::move(grouper)), q_(q) {}

  void update(const ir::Tensor& sample) override {
    const Groups groups = grouper_(sample);
    shape_ = groups.shape;
    kept_.resize(groups.count);
    for (std::size_t i = 0; i < groups.count; ++i) {
      kept_[i].insert(kept_[i].end(), groups.group(i).begin(), groups.group(i).end());
    }
    count_ += static_cast<std::int64_t>(groups.size);
  }

  ir::Dict result() const override {
    const std::int64_t least = grouper_.dims().kind == Dims::Kind::All ? 1 : 2;
    if (count_ < least) {
      return {{"min", kNotAvailable},
              {"max", kNotAvailable},
              {"range", kNotAvailable},
              {"count", count_}};
    }
    std::vector<double> low;
    std::vector<double> high;
    for (std::vector<float> values : kept_) {
      std::sort(values.begin(), values.end());
      const bool has_nan =
          std::any_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
      low.push_back(has_nan ? NAN : quantile(values, static_cast<float>(1 - q_)));
      high.push_back(has_nan ? NAN : quantile(values, static_cast<float>(q_)));
    }
    return range_result(shape_, low, high, count_);
  }

 private:
  Grouper grouper_;
  double q_;
  ir::Shape shape_;
  std::vector<std::vector<float>> kept_;
  std::int64_t count_ = 0;
};

std::unique_ptr<Collector> make_range_quantile(const Options& options) {
  return std::make_unique<RangeQuantile>(Grouper(read_dims(options), options.flag("abs")),
                                         options.number("quantile"));
}

}  // namespace

const Statistic kRangeQuantile{
    .name = "range_quantile",
    .summary = "the range that leaves out 1 - q of the values on either side",
    .options = {device_option(),
                dims_option(),
                abs_option(),
                {.name = "quantile",
                 .type = FieldType::Real,
                 .standard = 0.975,
                 .low = 0,
                 .high = 1,
                 .help = "q: 0.975 leaves out 2.5 % on either side"}},
    .make = make_range_quantile,
};

}  // namespace mase::passes::statistics
