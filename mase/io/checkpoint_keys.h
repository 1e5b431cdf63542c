#pragma once

#include <string_view>

namespace mase::io {

// In the `mase` section of our Lightning files: the names that the optimiser's numbers stand for.
inline constexpr std::string_view kOptimiserParameters = "optimiser_parameters";

}  // namespace mase::io
