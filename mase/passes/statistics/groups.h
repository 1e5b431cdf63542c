#pragma once

#include <optional>
#include <span>
#include <vector>

#include "mase/ir/value.h"
#include "mase/passes/statistics/statistic.h"

// What the collectors share: options, and the sorting of a sample's elements into the groups that a
// result has one number for.
namespace mase::passes::statistics {

// Field rows that several statistics have.
Field device_option();
Field dims_option();
Field abs_option();
Dims read_dims(const Options& options);

// The elements of one sample by group: `values` holds group after group, `size` elements each.
struct Groups {
  ir::Shape shape;  // of the result: [] for a single number
  std::size_t count = 0;
  std::size_t size = 0;
  std::vector<float> values;

  std::span<const float> group(std::size_t i) const { return {values.data() + i * size, size}; }
};

// Sorts samples into groups and holds that all of them have the same ones.
class Grouper {
 public:
  explicit Grouper(Dims dims, bool absolute = false)
      : dims_(std::move(dims)), absolute_(absolute) {}
  Groups operator()(const ir::Tensor& sample);
  const Dims& dims() const { return dims_; }

 private:
  Dims dims_;
  bool absolute_;
  std::optional<ir::Shape> first_;
};

// One number per group in the shape of the result: a plain number, or nested lists. Rounded to
// float32, as all statistics are.
ir::Value shaped(const ir::Shape& shape, std::span<const double> values);

// {"min", "max", "range", "count"} from lower and upper bounds per group.
ir::Dict range_result(const ir::Shape& shape, std::span<const double> low,
                      std::span<const double> high, std::int64_t count);

inline constexpr const char* kNotAvailable = "NA";

}  // namespace mase::passes::statistics
