#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/engine/native/integer_program.h"
#include "mase/engine/native/kernels.h"
#include "mase/engine/native/plan.h"
#include "mase/engine/native/segments.h"

// Runs a plan tile by tile: a tile is up to 256 samples (Plan::tile), every value of it an array
// [feature][sample]. Within a segment all instructions run on one tile before the next tile is
// touched. Partial sums are kept per tile and merged in tile order, so results do not depend on
// anything but the batch.
namespace mase::engine::native {

// Numbers up to the next whole 64 bytes of floats.
inline std::int64_t padded(std::int64_t n) {
  return (n + 15) / 16 * 16;
}

// 64-byte aligned floats, zero at first. Up to 16 behind the last may be read, which kernels make
// use of that read whole vectors.
class FloatArray {
 public:
  FloatArray() = default;
  explicit FloatArray(std::int64_t count) { resize(count); }
  void resize(std::int64_t count);  // contents are lost, then zero
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::int64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::unique_ptr<float[], Free> data_;
  std::int64_t size_ = 0;
};

// The weights of a program: written by training, read by everything else.
struct Weights {
  FloatArray flat;                   // Plan::flat_size
  std::vector<FloatArray> buffers;   // float buffers, by Plan::buffers
  std::vector<std::int64_t> counts;  // integer buffers (num_batches_tracked), same index
  std::uint64_t version = 0;         // changes whenever anything of the above does
};

struct Rows {
  const float* table = nullptr;          // sample-major
  const std::uint8_t* labels = nullptr;  // by row; null = no loss
  std::span<const std::uint32_t> rows;
  std::span<const std::uint32_t> ahead;  // rows worth prefetching
};

class Executor {
 public:
  Executor(const Plan& plan, const Kernels& kernels, std::uint64_t seed,
           const IntegerOptions& integer = integer_options());

  // Forward in training mode, loss, gradients added to `gradient`. Running statistics move.
  BatchResult train(Weights& weights, float* gradient, const Rows& rows, float scale,
                    std::uint64_t step);
  // Forward in evaluation mode and the loss (if rows.labels).
  BatchResult evaluate(const Weights& weights, const Rows& rows);
  // Forward; `out` gets value `value` of every sample, sample-major. In training mode running
  // statistics move.
  void forward(Weights& weights, const Rows& rows, Mode mode, std::uint64_t step,
               std::span<const int> values, std::span<float* const> out);

  // Gradients of the weights as the layers saw them to those of the weights as they are, where
  // their number formats have a rule of their own; once all batches of an update have been added.
  void finish_gradients(const Weights& weights, float* gradient) const;

  // The plan with the segments of a training step, and what the integer program says of it.
  std::string explain() const;

  // How each linear layer was evaluated last: IntegerProgram::report().
  const std::vector<std::string>& integer_report() const { return integer_.report(); }

 private:
  struct Program {
    Segments segments;
    MemoryPlan memory;
  };
  // What a batch norm knows of the batch at hand.
  struct NormScratch {
    FloatArray gain, shift, mean;           // by feature: folded forward
    FloatArray a, b, c;                     // by feature: folded gradient
    FloatArray inverse;                     // by channel
    FloatArray channel_gain, channel_mean;  // if a channel has several features
    FloatArray ones, zeros, ignored;        // for gains and shifts that are not there
    FloatArray tile_mean, tile_m2;          // [tile][padded channels]
    FloatArray s1, s2;                      // [tile][padded features]
  };
  // A weight or bias on its way to a kernel.
  struct Quantised {
    std::optional<Grid> grid;  // where its precision is one
    FloatArray values;
  };

  // The memory of all tiles of a batch, and what else grows with it.
  void allocate(std::int64_t samples, const MemoryPlan& plan);
  const Program& training_program(std::int64_t samples) const;
  // One pass over a batch. Null members switch parts off.
  struct Pass {
    const Rows& rows;
    const Weights& weights;
    Weights* moving = nullptr;  // where running statistics go
    float* gradient = nullptr;
    float scale = 1;  // of the gradient of each sample's loss
    bool dropout = false;
    std::uint64_t counter = 0;  // of the step, for dropout
    bool in_order = false;      // the rows are known to be consecutive
    ReadAhead ahead = {};       // what is left to fetch of those behind a tile in order
    BatchResult result = {};
  };
  // Rows on their way to the cache, a few with every instruction: more at a time would wait for
  // their page walks. Those of the next batch are fetched as soon as this one's have been gathered,
  // as many as may wait in the cache; the rest of a batch tile by tile, while the one before is
  // worked on.
  struct Prefetch {
    std::span<const std::uint32_t> rows;
    std::size_t each = 0;
    void some(const Pass& pass, int features) {
      if (!rows.empty()) fetch(pass, features);
    }
    void fetch(const Pass& pass, int features);
  };

  void run(const Segments& program, Pass& pass);
  void execute(const Instruction& instruction, int tile, Pass& pass);
  std::size_t rows_to_fetch(const Segments& program) const;
  Prefetch plan_prefetch(const Segments& program, std::size_t segment, int count,
                         const Pass& pass) const;
  std::span<const std::uint32_t> rows_of(int tile, const Pass& pass) const;
  void gather(int tile, const Pass& pass);
  void loss(int tile, Pass& pass);
  void forward_step(int index, int tile, const Pass& pass);
  void backward_step(const Instruction& instruction, int tile, const Pass& pass);
  void forward_windows(int index, int tile, int n);
  void backward_convolution(int index, int tile, int n, const Pass& pass);
  void input_gradient(int index, const float* d, float* dx, int n);
  void backward_pool(int index, int tile, int n);
  void fold_weight_sums(float* gradient);
  void quantise_weights(const Weights& weights);
  void quantise_tile(const PlanStep& step, const Pass& pass, const float* from, float* to, int n);
  void quantise_gradient(const PlanStep& step, const Pass& pass, const float* a, float* d, int n);
  // What evaluation derives from the weights, unless it has been since they changed.
  void prepare_evaluation(const Weights& weights);
  void evaluate_tiles(Pass& pass);
  ReadAhead rows_behind(int tile, const Pass& pass) const;
  bool evaluate_integers(int tile, Pass& pass, Prefetch& prefetch);
  void fold_running(const Weights& weights);
  void fold_moments(int norm, const Pass& pass);
  void fold_gradient(int norm, const Pass& pass);
  void dropout(const PlanStep& step, int tile, const Pass& pass, const float* from,
               float* to) const;
  void need_several_samples(const Rows& rows) const;
  Pointwise pointwise_of(const PlanStep& step) const;
  // Samples of a tile.
  int valid(int tile) const {
    return static_cast<int>(
        std::min<std::int64_t>(tile_, samples_ - static_cast<std::int64_t>(tile) * tile_));
  }
  // [features][stride_]
  float* value(int id, int tile) { return values_[id].of(tile); }
  float* gradient_of(int id, int tile) { return gradients_[id].of(tile); }

  const Plan& plan_;
  const Kernels& kernels_;
  std::uint64_t seed_;
  Program train_;
  Program train_recomputing_;  // for batches whose values would not stay in the cache
  Program train_forward_;      // keeps every value, as the next but one does
  Program evaluate_;
  Program evaluate_all_;
  IntegerProgram integer_;
  const Weights* prepared_ = nullptr;  // what evaluation is prepared for
  std::uint64_t prepared_version_ = 0;
  std::vector<NormScratch> norms_;
  std::vector<Pointwise> pointwise_;         // by step, if it is one
  std::vector<Quantised> quantised_;         // by step: weight then bias
  std::vector<const float*> linear_weight_;  // by step: what the kernel reads
  std::vector<const float*> linear_bias_;
  std::vector<std::uint8_t> tile_labels_;
  std::vector<FloatArray> weight_sums_;  // by step: of convolutions, a vector per weight
  FloatArray transposed_;                // scratch of narrow weight gradients
  std::vector<float> rows_;              // scratch of formats: a tile sample by sample,
  std::vector<float> gradient_rows_;     // and its gradient
  FloatArray memory_;
  const MemoryPlan* memory_plan_ = nullptr;  // of the batch at hand
  // Where that puts a value of the plan: of tile 0, and on to the next.
  struct Place {
    float* at = nullptr;
    std::ptrdiff_t pitch = 0;
    float* of(int tile) const { return at + tile * pitch; }
  };
  std::vector<Place> values_;
  std::vector<Place> gradients_;
  std::int64_t samples_ = 0;
  int tile_ = 0;    // samples per tile
  int stride_ = 0;  // floats from one feature to the next
  int tiles_ = 0;
  std::size_t fetched_ = 0;  // rows of this batch that the last one fetched
  int room_ = 0;             // tiles that fit the memory at hand
};

}  // namespace mase::engine::native
