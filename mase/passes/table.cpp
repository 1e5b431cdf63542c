// The table of all passes: one line each, sorted by name.
#include "mase/passes/table.h"

#include <vector>

namespace mase::passes {

std::span<const Pass* const> builtin_passes() {
  static const std::vector<const Pass*> kPasses{};
  return kPasses;
}

}  // namespace mase::passes
