// The loop under validation and testing.
#include "mase/train/evaluate.h"

#include <algorithm>
#include <cmath>

#include "mase/support/signals.h"

namespace mase::train {

Evaluation evaluate(engine::Program& program, const data::Split& split, data::Loader& loader,
                    Bar& bar, const EvaluateOptions& options) {
  loader.start_epoch(0);
  const std::int64_t batches = std::min(loader.batches(), options.limit);
  Evaluation out;
  engine::Batch batch{.features = &split.features, .labels = &split.labels};
  for (std::int64_t i = 0; i < batches; ++i) {
    if (options.stoppable && stop_requested()) {
      out.interrupted = true;
      return out;
    }
    batch.rows = loader.batch(i);
    batch.next_rows = i + 1 < batches ? loader.batch(i + 1) : std::span<const std::uint32_t>{};
    const engine::BatchResult result = program.evaluate(batch);
    if (!std::isfinite(result.loss) && out.nonfinite < 0) out.nonfinite = i;
    out.metrics.add(result);
    out.batches = i + 1;
    bar.update(out.batches, [] { return std::string_view{}; });
  }
  return out;
}

}  // namespace mase::train
