// In place of bare_libtorch.cpp where LibTorch was not found.
#include <stdexcept>

#include "bench/bare_libtorch.h"

namespace mase::bench {

std::string bare_libtorch_why_not(const std::vector<Layer>&) {
  return "LibTorch was not found when this was built";
}

std::function<void()> bare_libtorch_training(const std::vector<Layer>& layers, const PlainRows&,
                                             std::int64_t, bool) {
  throw std::logic_error(bare_libtorch_why_not(layers));
}

std::function<void()> bare_libtorch_evaluation(const std::vector<Layer>& layers, const PlainRows&,
                                               std::int64_t, bool) {
  throw std::logic_error(bare_libtorch_why_not(layers));
}

std::string prepare_bare_libtorch() {
  return "";
}

}  // namespace mase::bench
