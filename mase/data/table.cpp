// The list of all data sets. A new one is a file with its row and a line here.
#include <array>

#include "mase/data/dataset.h"

namespace mase::data {

extern const DataSetRow kJsc;
extern const DataSetRow kMnist;
extern const DataSetRow kToyTiny;

std::span<const DataSetRow* const> data_sets() {
  static constexpr std::array kRows = {&kJsc, &kMnist, &kToyTiny};
  return kRows;
}

}  // namespace mase::data
