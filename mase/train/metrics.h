#pragma once

#include <cstdint>

#include "mase/engine/engine.h"

namespace mase::train {

// Mean of batch losses, batches weighted equally, in single precision as torchmetrics keeps it: the
// printed digits depend on that.
struct MeanLoss {
  float sum = 0;
  float count = 0;

  void add(double loss) {
    sum += static_cast<float>(loss);
    count += 1;
  }
  double value() const { return count > 0 ? static_cast<double>(sum / count) : 0.0; }
};

// Loss and accuracy (correct / total) over the batches of an epoch.
struct Metrics {
  MeanLoss loss;
  std::int64_t correct = 0;
  std::int64_t total = 0;

  void add(const engine::BatchResult& batch) {
    loss.add(batch.loss);
    correct += batch.correct;
    total += batch.count;
  }
  // Rounded to single precision, as it is logged and printed.
  double accuracy() const {
    return total > 0 ? static_cast<double>(static_cast<float>(correct) / static_cast<float>(total))
                     : 0.0;
  }
};

}  // namespace mase::train
