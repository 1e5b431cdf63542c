// abs_mean: mean of the absolute values.
#include "mase/passes/statistics/groups.h"
#include "mase/passes/statistics/rows.h"

namespace mase::passes::statistics {
namespace {

class AbsMean : public Collector {
 public:
  explicit AbsMean(Grouper grouper) : grouper_(std::move(grouper)) {}

  void update(const ir::Tensor& sample) override {
    const Groups groups = grouper_(sample);
    shape_ = groups.shape;
    sums_.resize(groups.count);
    for (std::size_t i = 0; i < groups.count; ++i) {
      for (const float value : groups.group(i)) sums_[i] += value;
    }
    count_ += static_cast<std::int64_t>(groups.size);
  }

  ir::Dict result() const override {
    if (count_ < 2) return {{"abs_mean", kNotAvailable}};
    std::vector<double> means = sums_;
    for (double& mean : means) mean /= static_cast<double>(count_);
    return {{"abs_mean", shaped(shape_, means)}, {"count", count_}};
  }

 private:
  Grouper grouper_;
  ir::Shape shape_;
  std::vector<double> sums_;
  std::int64_t count_ = 0;
};

std::unique_ptr<Collector> make_abs_mean(const Options& options) {
  return std::make_unique<AbsMean>(Grouper(read_dims(options), /*absolute=*/true));
}

}  // namespace

const Statistic kAbsMean{
    .name = "abs_mean",
    .summary = "mean of the absolute values",
    .options = {device_option(), dims_option()},
    .make = make_abs_mean,
};

}  // namespace mase::passes::statistics
