#pragma once

#include <string_view>

// In the `mase` section of our Lightning files.
namespace mase::io {

// The names that the optimiser's numbers stand for.
inline constexpr std::string_view kOptimiserParameters = "optimiser_parameters";
// The number formats of the network that was trained (io/graph/quantisation.h): an empty dictionary
// for a float one. Absent in files of other programs.
inline constexpr std::string_view kQuantisation = "quantisation";

}  // namespace mase::io
