// record: the samples themselves.
#include <fmt/format.h>

#include "mase/passes/statistics/groups.h"
#include "mase/passes/statistics/rows.h"

namespace mase::passes::statistics {
namespace {

class Record : public Collector {
 public:
  explicit Record(bool new_dim) : new_dim_(new_dim) {}

  void update(const ir::Tensor& sample) override {
    ir::Shape shape = sample.shape();
    if (new_dim_ || shape.empty()) shape.insert(shape.begin(), 1);
    const ir::Shape row(shape.begin() + 1, shape.end());
    if (count_ > 0 && row != ir::Shape(shape_.begin() + 1, shape_.end())) {
      usage_error(fmt::format("record: a sample of shape {} cannot follow others of shape {}",
                              ir::text(shape), ir::text(shape_)));
    }
    if (count_ > 0) shape[0] += shape_[0];
    shape_ = std::move(shape);
    for (const float value : sample.floats()) values_.push_back(value);
    ++count_;
  }

  ir::Dict result() const override {
    if (count_ == 0) return {{"data", kNotAvailable}, {"count", 0}, {"size_in_bytes", 0}};
    const std::vector<double> values(values_.begin(), values_.end());
    return {{"data", shaped(shape_, values)},
            {"count", count_},
            {"size_in_bytes", static_cast<std::int64_t>(values_.size() * sizeof(float))}};
  }

 private:
  bool new_dim_;
  ir::Shape shape_;
  std::vector<float> values_;
  std::int64_t count_ = 0;
};

std::unique_ptr<Collector> make_record(const Options& options) {
  return std::make_unique<Record>(options.flag("add_new_dim_before_concat"));
}

}  // namespace

const Statistic kRecord{
    .name = "record",
    .summary = "all samples, one after the other along the first dimension",
    .options = {device_option(),
                {.name = "add_new_dim_before_concat",
                 .type = FieldType::Bool,
                 .standard = false,
                 .help = "put the samples along a new first dimension"}},
    .make = make_record,
};

}  // namespace mase::passes::statistics
