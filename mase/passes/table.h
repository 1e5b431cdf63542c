#pragma once

#include <span>

#include "mase/passes/pass.h"

namespace mase::passes {

// The passes of the library, sorted by name. Those of plug-ins are not among them: see passes().
std::span<const Pass* const> builtin_passes();

}  // namespace mase::passes
