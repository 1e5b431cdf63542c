// Logits of every row, batch by batch, and the class each decides for.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "mase/ops/op.h"
#include "mase/support/error.h"
#include "mase/train/nonfinite.h"
#include "mase/train/train.h"

namespace mase::train {
namespace {

// The class a row decides for, -1 if a logit is NaN: whatever is compared with it is false.
std::int64_t decide(std::span<const float> logits) {
  if (std::any_of(logits.begin(), logits.end(), [](float v) { return std::isnan(v); })) return -1;
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

bool is_finite(std::span<const float> logits) {
  return std::all_of(logits.begin(), logits.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

Predictions predict(const ir::Graph& graph, const data::Split& split, const engine::Engine& engine,
                    std::int64_t batch_size, const engine::ProgramOptions& options) {
  if (batch_size < 1) usage_error("batch_size must be at least 1");
  if (split.rows() == 0) usage_error("there are no rows to predict");
  ir::Graph typed = graph;
  ops::type_inputs(typed, {&split.features, 1});
  const auto program = engine.compile(typed, options);
  Predictions out;
  const std::int64_t rows = split.rows();
  batch_size = std::min(batch_size, rows);
  std::int64_t nonfinite = 0;
  std::string cause;
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
      const auto of_row = values.subspan(static_cast<std::size_t>(row) * classes, classes);
      decided[static_cast<std::size_t>(first + row)] = decide(of_row);
      if (is_finite(of_row)) continue;
      if (nonfinite++ == 0) {
        cause = find_nonfinite(graph, *program, inputs[0], engine::Mode::Eval).cause;
      }
    }
  }
  if (nonfinite > 0) {
    out.nonfinite =
        fmt::format("the logits of {} of {} rows are not finite: {}", nonfinite, rows, cause);
  }
  return out;
}

}  // namespace mase::train
