#pragma once

#include <cstdint>
#include <limits>

#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/train/bar.h"
#include "mase/train/metrics.h"

namespace mase::train {

struct Evaluation {
  Metrics metrics;
  std::int64_t batches = 0;     // evaluated
  bool interrupted = false;     // a signal came in between
  std::int64_t nonfinite = -1;  // first batch whose loss is not finite, -1 if none
};

struct EvaluateOptions {
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();  // batches at most
  bool stoppable = false;  // look for a signal before each batch
};

// Loss and accuracy over a split in evaluation mode, its rows in order.
Evaluation evaluate(engine::Program& program, const data::Split& split, data::Loader& loader,
                    Bar& bar, const EvaluateOptions& options = {});

}  // namespace mase::train
