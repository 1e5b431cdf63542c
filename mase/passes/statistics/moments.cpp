// Means and variances: in one pass (B. P. Welford, 1962; with dims = all the chunked form of T. F.
// Chan et al., 1983, as MASE has it), or precisely from all samples.
#include "mase/passes/statistics/moments.h"

#include <cmath>
#include <limits>
#include <utility>

namespace mase::passes::statistics {
namespace {

double mean_of(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double squares_around(std::span<const float> values, double mean) {
  double sum = 0;
  for (const float value : values) sum += (value - mean) * (value - mean);
  return sum;
}

class Online : public MomentCollector {
 public:
  explicit Online(Grouper grouper) : grouper_(std::move(grouper)) {}

  void update(const ir::Tensor& sample) override {
    const Groups groups = grouper_(sample);
    if (mean_.empty()) {
      shape_ = groups.shape;
      mean_.resize(groups.count);
      squares_.resize(groups.count);
    }
    if (grouper_.dims().kind == Dims::Kind::All) {
      add_chunk(groups.group(0));
    } else {
      for (std::size_t i = 0; i < groups.count; ++i) add_one_by_one(i, groups.group(i));
    }
    count_ += static_cast<std::int64_t>(groups.size);
  }

  std::optional<Moments> moments() const override {
    if (count_ < 2) return std::nullopt;
    Moments out{.shape = shape_, .mean = mean_, .variance = squares_, .count = count_};
    for (double& value : out.variance) value /= static_cast<double>(count_);
    return out;
  }
  std::int64_t count() const override { return count_; }

 private:
  // MASE takes n times the unbiased variance of the chunk as its sum of squares, n/(n-1) times the
  // true one; results are compared with its own, so this does too. A chunk of one element adds
  // nothing (there the original gives not-a-number).
  void add_chunk(std::span<const float> values) {
    const auto n = static_cast<double>(values.size());
    const auto c = static_cast<double>(count_);
    if (values.empty()) return;
    const double mean = mean_of(values);
    const double squares = values.size() < 2 ? 0 : squares_around(values, mean) * n / (n - 1);
    const double delta = mean - mean_[0];
    squares_[0] += squares + delta * delta * c * n / (c + n);
    mean_[0] += delta * n / (c + n);
  }

  void add_one_by_one(std::size_t group, std::span<const float> values) {
    auto c = static_cast<double>(count_);
    for (const float value : values) {
      c += 1;
      const double delta = value - mean_[group];
      mean_[group] += delta / c;
      squares_[group] += delta * (value - mean_[group]);
    }
  }

  Grouper grouper_;
  ir::Shape shape_;
  std::vector<double> mean_;
  std::vector<double> squares_;  // sums of squared differences from the mean
  std::int64_t count_ = 0;
};

class Precise : public MomentCollector {
 public:
  explicit Precise(Grouper grouper) : grouper_(std::move(grouper)) {}

  void update(const ir::Tensor& sample) override {
    const Groups groups = grouper_(sample);
    shape_ = groups.shape;
    kept_.resize(groups.count);
    for (std::size_t i = 0; i < groups.count; ++i) {
      kept_[i].insert(kept_[i].end(), groups.group(i).begin(), groups.group(i).end());
    }
    count_ += static_cast<std::int64_t>(groups.size);
  }

  std::optional<Moments> moments() const override {
    // A single number has a mean, and its variance is not a number.
    const std::int64_t least = grouper_.dims().kind == Dims::Kind::All ? 1 : 2;
    if (count_ < least) return std::nullopt;
    Moments out{.shape = shape_, .count = count_};
    for (const std::vector<float>& values : kept_) {
      const double mean = mean_of(values);
      out.mean.push_back(mean);
      out.variance.push_back(count_ < 2
                                 ? std::numeric_limits<double>::quiet_NaN()
                                 : squares_around(values, mean) / static_cast<double>(count_ - 1));
    }
    return out;
  }
  std::int64_t count() const override { return count_; }

 private:
  Grouper grouper_;
  ir::Shape shape_;
  std::vector<std::vector<float>> kept_;
  std::int64_t count_ = 0;
};

}  // namespace

std::unique_ptr<MomentCollector> online_moments(Grouper grouper) {
  return std::make_unique<Online>(std::move(grouper));
}

std::unique_ptr<MomentCollector> precise_moments(Grouper grouper) {
  return std::make_unique<Precise>(std::move(grouper));
}

}  // namespace mase::passes::statistics
