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

std::int64_t padded(std::int64_t n) {
  return (n + 15) / 16 * 16;
}

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

Executor::Arrays Executor::plan_arrays(const std::vector<Segment>& program,
                                       bool keep_values) const {
  std::vector<Lifetime> values(plan_.values.size());
  std::vector<Lifetime> gradients(plan_.values.size());
  std::vector<std::int64_t> sizes;
  for (std::size_t v = 0; v < values.size(); ++v) {
    sizes.push_back(plan_.values[v].features);
    values[v].size = gradients[v].size = sizes.back();
  }
  const auto use = [&](int value, int time) { values[static_cast<std::size_t>(value)].use(time); };
  const auto use_gradient = [&](int value, int time) {
    const PlanValue& v = plan_.values[static_cast<std::size_t>(value)];
    if (v.needs_gradient) gradients[static_cast<std::size_t>(v.gradient_home)].use(time);
  };
  int time = 0;
  for (const Segment& segment : program) {
    for (const auto& [code, index] : segment.instructions) {
      ++time;
      if (code == Code::Gather) use(0, time);
      if (code == Code::Loss) {
        use(plan_.result, time);
        use_gradient(plan_.result, time);
      }
      if (index < 0) continue;
      const PlanStep& step = plan_.steps[static_cast<std::size_t>(index)];
      for (const int value : {step.a, step.b, step.out}) {
        if (value < 0) continue;
        use(value, time);
        if (code == Code::Backward || code == Code::NormGradient) use_gradient(value, time);
      }
    }
  }
  return {.values = keep_values ? side_by_side(sizes) : lay_out(values),
          .gradients = lay_out(gradients)};
}

void Executor::allocate(std::int64_t samples, bool whole_batch, const Arrays& arrays) {
  const int tile = static_cast<int>(std::min<std::int64_t>(plan_.tile, padded(samples)));
  samples_ = samples;
  tiles_ = static_cast<int>((samples + tile - 1) / tile);
  if (tile == tile_ && &arrays == arrays_ && whole_batch == !shared_tile_ && tiles_ <= room_)
    return;
  tile_ = tile;
  stride_ = tile + (tile == kTile ? kGap : 0);
  arrays_ = &arrays;
  room_ = tiles_;
  shared_tile_ = !whole_batch;
  const std::int64_t copies = whole_batch ? tiles_ : 1;
  values_.resize(copies * arrays.values.size * stride_);
  gradients_.resize(copies * arrays.gradients.size * stride_);
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
Executor::Prefetch Executor::plan_prefetch(const std::vector<Segment>& program, std::size_t segment,
                                           int count, const Pass& pass) const {
  Prefetch prefetch;
  std::size_t instructions = program[segment].instructions.size();
  const std::size_t next_tile =
      static_cast<std::size_t>(count + 1) * static_cast<std::size_t>(tile_);
  if (segment == 0 && count + 1 < tiles_) {
    if (next_tile >= fetched_) prefetch.rows = rows_of(count + 1, pass);
  } else if (count == (program.size() == 1 ? tiles_ - 1 : 0) && segment == program.size() / 2) {
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
std::size_t Executor::rows_to_fetch(const std::vector<Segment>& program) const {
  if (program.size() == 1) return static_cast<std::size_t>(tile_);
  constexpr std::size_t kBytes = std::size_t{128} << 10;
  const auto width = static_cast<std::size_t>(plan_.values[0].features) * sizeof(float);
  return std::max(kBytes / std::max(width, std::size_t{1}), static_cast<std::size_t>(tile_));
}

// Into the second-level cache: the first is full of the tile at work.
void Executor::Prefetch::some(const Pass& pass, int features) {
  const std::int64_t width = features * static_cast<std::int64_t>(sizeof(float));
  const std::size_t count = std::min(each, rows.size());
  for (const std::uint32_t row : rows.first(count)) {
    const char* at = reinterpret_cast<const char*>(pass.rows.table) + row * width;
    for (std::int64_t byte = 0; byte < width; byte += 64) __builtin_prefetch(at + byte, 0, 2);
    if (pass.rows.labels) __builtin_prefetch(pass.rows.labels + row);
  }
  rows = rows.subspan(count);
}

std::span<const std::uint32_t> Executor::rows_of(int tile, const Pass& pass) const {
  return pass.rows.rows.subspan(static_cast<std::size_t>(tile) * static_cast<std::size_t>(tile_),
                                static_cast<std::size_t>(valid(tile)));
}

}  // namespace mase::engine::native
