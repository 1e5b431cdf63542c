#pragma once

namespace mase::engine {

// Settings of the libraries under LibTorch, OpenMP and OpenBLAS, which read them from the
// environment when they are loaded; what the user set stays. True if any was missing.
bool prepare_math_libraries();

}  // namespace mase::engine
