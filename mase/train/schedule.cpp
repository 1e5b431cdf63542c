// The learning rate by epoch: half a cosine from the initial rate to a floor (Loshchilov and
// Hutter, SGDR, 2017, without restarts).
#include <cmath>
#include <numbers>

#include "mase/train/train.h"

namespace mase::train {

double cosine_rate(double initial, double minimum, std::int64_t epoch, std::int64_t max_epochs) {
  if (max_epochs <= 0) return initial;
  const double progress = static_cast<double>(epoch) / static_cast<double>(max_epochs);
  return minimum + (initial - minimum) * (1.0 + std::cos(std::numbers::pi * progress)) / 2.0;
}

}  // namespace mase::train
