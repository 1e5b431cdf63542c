// Logits of every row, batch by batch, and the class each decides for.
#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "mase/support/error.h"
#include "mase/train/train.h"

namespace mase::train {

Predictions predict(const ir::Graph& graph, const data::Split& split, const engine::Engine& engine,
                    std::int64_t batch_size, const engine::ProgramOptions& options) {
  if (batch_size < 1) usage_error("batch_size must be at least 1");
  if (split.rows() == 0) usage_error("there are no rows to predict");
  const auto program = engine.compile(graph, options);
  Predictions out;
  const std::int64_t rows = split.rows();
  for (std::int64_t first = 0; first < rows; first += batch_size) {
    const std::int64_t count = std::min(batch_size, rows - first);
    const std::array<ir::Tensor, 1> inputs{split.features.rows(first, count)};
    const ir::Tensor logits = program->forward(inputs, engine::Mode::Eval).to(ir::DType::Float32);
    if (logits.shape().size() != 2 || logits.dim(0) != count) {
      usage_error("the network's output is no table of logits: " + ir::text(logits.shape()));
    }
    if (first == 0) {
      out.logits = ir::Tensor({rows, logits.dim(1)}, ir::DType::Float32);
      out.classes = ir::Tensor({rows}, ir::DType::Int64);
    }
    const std::span<const float> values = logits.values<float>();
    std::copy(values.begin(), values.end(),
              out.logits.values_mut<float>().begin() + first * logits.dim(1));
    const auto classes = static_cast<std::size_t>(logits.dim(1));
    const std::span<std::int64_t> decided = out.classes.values_mut<std::int64_t>();
    for (std::int64_t row = 0; row < count; ++row) {
      const auto begin = values.begin() + row * logits.dim(1);
      decided[static_cast<std::size_t>(first + row)] =
          std::max_element(begin, begin + static_cast<std::ptrdiff_t>(classes)) - begin;
    }
  }
  return out;
}

}  // namespace mase::train
