// Where the values of a batch and their gradients lie, and the rows on their way into the caches.
#include <algorithm>
#include <cstring>
#include <new>

#include "mase/engine/native/executor.h"

namespace mase::engine::native {
namespace {

// Behind each feature of a wide tile, so that features do not lie whole pages apart, where they
// would fight for the same places of the cache.
constexpr int kGap = 16;

// What may wait in a second-level cache, half of a small one.
constexpr std::int64_t kCacheBytes = std::int64_t{256} << 10;

}  // namespace

void FloatArray::Free::operator()(float* p) const {
  ::operator delete (p, std::align_val_t{64});
}

void FloatArray::resize(std::int64_t count) {
  const auto bytes = static_cast<std::size_t>(padded(count) + 16) * sizeof(float);
  if (count > size_ || !data_) {
    data_.reset(static_cast<float*>(::operator new (bytes, std::align_val_t{64})));
  }
  size_ = std::max(size_, count);
  std::memset(data_.get(), 0, bytes);
}

const Executor::Program& Executor::training_program(std::int64_t samples) const {
  const std::int64_t tile = std::min<std::int64_t>(plan_.tile, padded(samples));
  const std::int64_t tiles = (samples + tile - 1) / tile;
  const std::int64_t kept = tiles * train_.memory.kept * tile * std::int64_t{sizeof(float)};
  return tiles > 1 && kept > kCacheBytes ? train_recomputing_ : train_;
}

void Executor::allocate(std::int64_t samples, const MemoryPlan& plan) {
  const int tile = static_cast<int>(std::min<std::int64_t>(plan_.tile, padded(samples)));
  samples_ = samples;
  tiles_ = static_cast<int>((samples + tile - 1) / tile);
  if (tile == tile_ && &plan == memory_plan_ && tiles_ <= room_) return;
  tile_ = tile;
  stride_ = tile + (tile == kTile ? kGap : 0);
  memory_plan_ = &plan;
  room_ = tiles_;
  memory_.resize((plan.shared + tiles_ * plan.kept) * stride_);
  const auto place = [&](const Places& places, int id) {
    const auto i = static_cast<std::size_t>(id);
    return Place{memory_.data() + places.at[i] * stride_, places.pitch[i] * stride_};
  };
  values_.clear();
  gradients_.clear();
  for (int id = 0; id < static_cast<int>(plan_.values.size()); ++id) {
    values_.push_back(place(plan.values, id));
    gradients_.push_back(
        place(plan.gradients, plan_.values[static_cast<std::size_t>(id)].gradient_home));
  }
  for (std::size_t i = 0; i < norms_.size(); ++i) {
    const PlanNorm& norm = plan_.norms[i];
    for (FloatArray* array : {&norms_[i].tile_mean, &norms_[i].tile_m2}) {
      array->resize(tiles_ * padded(norm.channels));
    }
    for (FloatArray* array : {&norms_[i].s1, &norms_[i].s2}) {
      array->resize(tiles_ * padded(std::int64_t{norm.channels} * norm.area));
    }
  }
  tile_labels_.assign(static_cast<std::size_t>(stride_), 0);
}

// What to fetch from tile number `count` of a segment on: after the last rows have been asked for.
Executor::Prefetch Executor::plan_prefetch(const Segments& program, std::size_t segment, int count,
                                           const Pass& pass) const {
  Prefetch prefetch;
  std::size_t instructions = program[segment].instructions.size();
  const bool alone = program.size() == 1;
  const auto next_tile = static_cast<std::size_t>(count + 1) * static_cast<std::size_t>(tile_);
  if (segment == 0 && count + 1 < tiles_) {
    if (next_tile >= fetched_) prefetch.rows = rows_of(count + 1, pass);
  } else if (segment == (alone ? 0 : 1) && count == (alone ? tiles_ - 1 : 0)) {
    prefetch.rows = pass.rows.ahead.first(std::min(pass.rows.ahead.size(), rows_to_fetch(program)));
    instructions = 0;
    for (std::size_t s = segment; s < program.size(); ++s) {
      instructions += program[s].instructions.size() * static_cast<std::size_t>(tiles_);
    }
  }
  prefetch.each = (prefetch.rows.size() + instructions - 1) / instructions;
  return prefetch;
}

// Rows of the next batch that may wait in the cache; a short program has time for one tile only.
std::size_t Executor::rows_to_fetch(const Segments& program) const {
  if (program.size() == 1) return static_cast<std::size_t>(tile_);
  constexpr std::size_t kBytes = std::size_t{128} << 10;
  const auto width = static_cast<std::size_t>(plan_.values[0].features) * sizeof(float);
  return std::max(kBytes / std::max(width, std::size_t{1}), static_cast<std::size_t>(tile_));
}

// Into the second-level cache: the first is full of the tile at work.
void Executor::Prefetch::fetch(const Pass& pass, int features) {
  constexpr std::int64_t kLine = 64;
  const std::int64_t width = features * static_cast<std::int64_t>(sizeof(float));
  const char* table = reinterpret_cast<const char*>(pass.rows.table);
  const std::uint8_t* labels = pass.rows.labels;
  const std::span<const std::uint32_t> now = rows.first(std::min(each, rows.size()));
  for (const std::uint32_t row : now) {
    const char* at = table + row * width;
    __builtin_prefetch(at, 0, 2);
    for (std::int64_t byte = kLine; byte < width; byte += kLine) {
      __builtin_prefetch(at + byte, 0, 2);
    }
    if (labels) __builtin_prefetch(labels + row);
  }
  rows = rows.subspan(now.size());
}

std::span<const std::uint32_t> Executor::rows_of(int tile, const Pass& pass) const {
  return pass.rows.rows.subspan(static_cast<std::size_t>(tile) * static_cast<std::size_t>(tile_),
                                static_cast<std::size_t>(valid(tile)));
}

}  // namespace mase::engine::native
