// Batches as consecutive pieces of a permutation keyed by (seed, epoch).
#include <algorithm>
#include <limits>
#include <numeric>

#include "mase/data/dataset.h"
#include "mase/support/error.h"
#include "mase/support/shuffle.h"

namespace mase::data {

Loader::Loader(std::int64_t rows, std::int64_t batch_size, bool shuffle, std::uint64_t seed)
    : rows_(rows),
      // A batch size beyond the rows means one batch of all of them.
      batch_size_(std::min(batch_size, std::max<std::int64_t>(rows, 1))),
      shuffle_(shuffle),
      seed_(seed) {
  if (batch_size < 1) usage_error("the batch size must be at least 1");
  if (rows < 0 || rows > std::numeric_limits<std::uint32_t>::max()) {
    usage_error("a split may hold at most 4294967295 rows");
  }
  order_.resize(static_cast<std::size_t>(rows));
  start_epoch(0);
}

void Loader::start_epoch(std::int64_t epoch) {
  if (shuffle_) {
    shuffle(combine_keys(seed_, static_cast<std::uint64_t>(epoch)), order_);
  } else {
    std::iota(order_.begin(), order_.end(), 0u);
  }
}

std::int64_t Loader::batches() const {
  return (rows_ + batch_size_ - 1) / batch_size_;
}

std::span<const std::uint32_t> Loader::batch(std::int64_t i) const {
  if (i < 0 || i >= batches()) internal_error("a batch beyond the end of the epoch");
  const std::int64_t first = i * batch_size_;
  const std::int64_t count = std::min(batch_size_, rows_ - first);
  return std::span(order_).subspan(static_cast<std::size_t>(first),
                                   static_cast<std::size_t>(count));
}

}  // namespace mase::data
