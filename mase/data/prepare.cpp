// Deduplicate, split, standardise. The table is read once in pieces into blocks of float32 rows;
// duplicates are found on the way through an open hash table of row numbers.
#include "mase/data/prepare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>

#include "mase/support/random.h"
#include "mase/support/shuffle.h"

namespace mase::data {
namespace {

constexpr std::uint32_t kSplitSeed = 42;
constexpr std::int64_t kFewestRows = 10;

// The distinct rows so far.
class Rows {
 public:
  explicit Rows(std::size_t features) : features_(features), slots_(std::size_t{1} << 12, kFree) {}

  std::size_t size() const { return labels_.size(); }
  std::uint8_t label(std::size_t row) const { return labels_[row]; }
  const float* features(std::size_t row) const {
    return blocks_[row / kBlockRows].get() + row % kBlockRows * features_;
  }

  // False if an equal row is there already.
  bool add(std::span<const double> features, std::uint8_t label) {
    std::uint64_t hash = label;
    // Adding zero makes the two zeros, which are equal, one.
    for (const double value : features) hash = mix(hash, std::bit_cast<std::uint64_t>(value + 0.0));
    hash = scramble(hash);
    float* row = next_row();
    for (std::size_t i = 0; i < features_; ++i) row[i] = static_cast<float>(features[i]);
    std::size_t slot = hash & (slots_.size() - 1);
    for (; slots_[slot] != kFree; slot = (slot + 1) & (slots_.size() - 1)) {
      const std::size_t other = slots_[slot];
      // The hash is of the unrounded values: it tells rows apart that float32 cannot.
      if (hashes_[other] == hash && labels_[other] == label &&
          std::equal(row, row + features_, this->features(other))) {
        return false;
      }
    }
    slots_[slot] = static_cast<std::uint32_t>(size());
    labels_.push_back(label);
    hashes_.push_back(hash);
    if (2 * size() > slots_.size()) grow();
    return true;
  }

  // Needed while rows are added only.
  void forget_hashes() {
    std::vector<std::uint64_t>().swap(hashes_);
    std::vector<std::uint32_t>().swap(slots_);
  }

 private:
  static constexpr std::size_t kBlockRows = std::size_t{1} << 14;
  static constexpr std::uint32_t kFree = 0xffffffffu;

  static std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9fb21c651e98df25ull;
    return hash ^ (hash >> 28);
  }

  float* next_row() {
    if (size() == blocks_.size() * kBlockRows) {
      blocks_.push_back(std::make_unique_for_overwrite<float[]>(kBlockRows * features_));
    }
    return const_cast<float*>(features(size()));
  }

  void grow() {
    std::vector<std::uint32_t>(slots_.size() * 2, kFree).swap(slots_);
    for (std::uint32_t row = 0; row < size(); ++row) {
      std::size_t slot = hashes_[row] & (slots_.size() - 1);
      while (slots_[slot] != kFree) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = row;
    }
  }

  std::size_t features_;
  std::vector<std::unique_ptr<float[]>> blocks_;
  std::vector<std::uint8_t> labels_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;
};

// The position of the 1 in a one-hot row, or -1.
int one_hot(std::span<const double> row) {
  int position = -1;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == 0) continue;
    if (row[i] != 1 || position >= 0) return -1;
    position = static_cast<int>(i);
  }
  return position;
}

// The class of a row by its label columns, or -1.
int class_of(std::span<const double> labels, bool is_one_hot) {
  return is_one_hot ? one_hot(labels) : static_cast<int>(labels.front());
}

Status add_rows(Rows& rows, const io::Table& table, const Selection& selection, std::int64_t first,
                std::span<const double> values) {
  const std::size_t width = selection.columns.size();
  const auto name = [&](std::size_t i) -> const std::string& {
    return table.columns()[selection.columns[i]];
  };
  for (std::size_t i = 0; i < values.size() / width; ++i) {
    const auto row = values.subspan(i * width, width);
    const auto labels = row.subspan(selection.features);
    const auto number = first + static_cast<std::int64_t>(i);
    for (std::size_t f = 0; f < selection.features; ++f) {
      // Beyond the range of float32 a value would become infinite.
      if (!std::isfinite(static_cast<float>(row[f]))) {
        return ReadError{
            fmt::format("row {} (counted from 0), column {}: {} is not a finite number", number,
                        io::brief(name(f)), row[f]),
            table.where(number)};
      }
    }
    const int label = class_of(labels, selection.one_hot);
    if (label < 0) {
      std::vector<std::string> names;
      for (std::size_t c = selection.features; c < width; ++c) names.push_back(io::brief(name(c)));
      return ReadError{
          fmt::format("row {} (counted from 0): the label columns {} hold {}, not a single 1",
                      number, fmt::join(names, ", "), fmt::join(labels, ", ")),
          table.where(number)};
    }
    if (rows.size() == std::numeric_limits<std::uint32_t>::max() - 1) {
      return ReadError{"has more rows than can be handled (4294967294)", table.where(number)};
    }
    rows.add(row.first(selection.features), static_cast<std::uint8_t>(label));
  }
  return std::monostate{};
}

Split gather(const Rows& rows, std::span<const std::uint32_t> order, std::size_t width) {
  const auto count = static_cast<std::int64_t>(order.size());
  Split split{ir::Tensor({count, static_cast<std::int64_t>(width)}, ir::DType::Float32),
              ir::Tensor({count}, ir::DType::Int64)};
  float* to = split.features.values_mut<float>().data();
  const auto labels = split.labels.values_mut<std::int64_t>();
  for (std::size_t i = 0; i < order.size(); ++i, to += width) {
    std::copy_n(rows.features(order[i]), width, to);
    labels[i] = rows.label(order[i]);
  }
  return split;
}

struct Scale {
  std::vector<double> mean;
  std::vector<double> deviation;
};

Scale scale_of(std::span<const float> values, std::size_t width) {
  const std::size_t rows = values.size() / width;
  const double n = static_cast<double>(rows);
  Scale scale{std::vector<double>(width), std::vector<double>(width)};
  for (std::size_t i = 0; i < values.size(); i += width) {
    for (std::size_t f = 0; f < width; ++f) scale.mean[f] += values[i + f];
  }
  for (double& mean : scale.mean) mean /= n;
  std::vector<double> rest(width);  // what rounding left of the mean
  for (std::size_t i = 0; i < values.size(); i += width) {
    for (std::size_t f = 0; f < width; ++f) {
      const double d = values[i + f] - scale.mean[f];
      rest[f] += d;
      scale.deviation[f] += d * d;
    }
  }
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  for (std::size_t f = 0; f < width; ++f) {
    const double variance = (scale.deviation[f] - rest[f] * rest[f] / n) / n;
    // A constant column keeps some variance from rounding; it counts as none.
    const double noise = n * scale.mean[f] * kEpsilon;
    scale.deviation[f] =
        variance <= n * kEpsilon * variance + noise * noise ? 1.0 : std::sqrt(variance);
  }
  return scale;
}

// Rounded to float32 after each of the two operations, as the original does in place.
void standardise(std::span<float> values, const Scale& scale) {
  const std::size_t width = scale.mean.size();
  for (std::size_t i = 0; i < values.size(); i += width) {
    for (std::size_t f = 0; f < width; ++f) {
      const auto centred = static_cast<float>(values[i + f] - scale.mean[f]);
      values[i + f] = static_cast<float>(centred / scale.deviation[f]);
    }
  }
}

}  // namespace

Prepared prepare_table(io::Table& table, const Selection& selection) {
  const std::size_t width = selection.columns.size();
  Rows rows(selection.features);
  std::int64_t read = 0;
  table
      .read(selection.columns,
            [&](std::int64_t first, std::span<const double> values) {
              read = first + static_cast<std::int64_t>(values.size() / width);
              return add_rows(rows, table, selection, first, values);
            })
      .or_throw();
  rows.forget_hashes();
  const auto count = static_cast<std::int64_t>(rows.size());
  if (count < kFewestRows) {
    throw Error(ErrorKind::Unreadable,
                fmt::format("holds {} distinct rows, too few to train and test on (at least {})",
                            count, kFewestRows),
                {.file = table.where(0).file});
  }

  const auto order = Random(kSplitSeed).permutation(static_cast<std::uint32_t>(count));
  const auto tests = static_cast<std::size_t>((count + 4) / 5);
  Prepared out{.train = gather(rows, std::span(order).subspan(tests), selection.features),
               .test = gather(rows, std::span(order).first(tests), selection.features),
               .rows_read = read,
               .duplicates = read - count};
  const Scale scale = scale_of(out.train.features.values<float>(), selection.features);
  standardise(out.train.features.values_mut<float>(), scale);
  standardise(out.test.features.values_mut<float>(), scale);
  return out;
}

std::vector<std::int64_t> rows_per_class(const Prepared& rows, std::int64_t classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (const Split* split : {&rows.train, &rows.test}) {
    for (const std::int64_t label : split->labels.values<std::int64_t>()) {
      ++counts.at(static_cast<std::size_t>(label));
    }
  }
  return counts;
}

}  // namespace mase::data
