// variance_online and variance_precise: mean and variance.
#include "mase/passes/statistics/moments.h"
#include "mase/passes/statistics/rows.h"

namespace mase::passes::statistics {
namespace {

class Variance : public Collector {
 public:
  Variance(std::unique_ptr<MomentCollector> moments, bool counts_always)
      : moments_(std::move(moments)), counts_always_(counts_always) {}

  void update(const ir::Tensor& sample) override { moments_->update(sample); }

  ir::Dict result() const override {
    const std::optional<Moments> moments = moments_->moments();
    if (moments) {
      return {{"mean", shaped(moments->shape, moments->mean)},
              {"variance", shaped(moments->shape, moments->variance)},
              {"count", moments->count}};
    }
    ir::Dict missing{{"mean", kNotAvailable}, {"variance", kNotAvailable}};
    if (counts_always_) missing.emplace_back("count", moments_->count());
    return missing;
  }

 private:
  std::unique_ptr<MomentCollector> moments_;
  bool counts_always_;
};

std::unique_ptr<Collector> make_online(const Options& options) {
  return std::make_unique<Variance>(online_moments(Grouper(read_dims(options))), false);
}

std::unique_ptr<Collector> make_precise(const Options& options) {
  return std::make_unique<Variance>(precise_moments(Grouper(read_dims(options))), true);
}

}  // namespace

const Statistic kVarianceOnline{
    .name = "variance_online",
    .summary = "mean and population variance in one pass, without keeping the samples",
    .options = {device_option(), dims_option()},
    .make = make_online,
};

const Statistic kVariancePrecise{
    .name = "variance_precise",
    .summary = "mean and unbiased variance of all samples",
    .options = {device_option(), dims_option()},
    .make = make_precise,
};

}  // namespace mase::passes::statistics
