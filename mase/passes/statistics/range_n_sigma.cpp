// range_n_sigma: mean plus and minus some standard deviations.
#include <cmath>

#include "mase/passes/statistics/moments.h"
#include "mase/passes/statistics/rows.h"

namespace mase::passes::statistics {
namespace {

class RangeNSigma : public Collector {
 public:
  RangeNSigma(std::unique_ptr<MomentCollector> moments, double sigmas)
      : moments_(std::move(moments)), sigmas_(sigmas) {}

  void update(const ir::Tensor& sample) override { moments_->update(sample); }

  ir::Dict result() const override {
    const std::optional<Moments> moments = moments_->moments();
    if (!moments) {
      return {{"min", kNotAvailable},
              {"max", kNotAvailable},
              {"range", kNotAvailable},
              {"count", moments_->count()}};
    }
    std::vector<double> low;
    std::vector<double> high;
    for (std::size_t i = 0; i < moments->mean.size(); ++i) {
      const double spread = sigmas_ * std::sqrt(moments->variance[i]);
      low.push_back(moments->mean[i] - spread);
      high.push_back(moments->mean[i] + spread);
    }
    return range_result(moments->shape, low, high, moments->count);
  }

 private:
  std::unique_ptr<MomentCollector> moments_;
  double sigmas_;
};

std::unique_ptr<Collector> make_range_n_sigma(const Options& options) {
  Grouper grouper(read_dims(options), options.flag("abs"));
  const bool online = options.text("var_mode") == "online";
  return std::make_unique<RangeNSigma>(
      online ? online_moments(std::move(grouper)) : precise_moments(std::move(grouper)),
      options.number("num_sigma"));
}

}  // namespace

const Statistic kRangeNSigma{
    .name = "range_n_sigma",
    .summary = "mean minus and plus some standard deviations",
    .options = {device_option(),
                dims_option(),
                abs_option(),
                {.name = "var_mode",
                 .type = FieldType::Text,
                 .standard = "online",
                 .choices = {"online", "precise"},
                 .help = "how the variance is taken"},
                {.name = "num_sigma",
                 .type = FieldType::Real,
                 .standard = 3,
                 .low = 0,
                 .help = "standard deviations on either side"}},
    .make = make_range_n_sigma,
};

}  // namespace mase::passes::statistics
