#pragma once

#include <optional>

#include "mase/io/torch/pickle.h"
#include "mase/ir/value.h"

namespace mase::io {

// The number in a pickled NumPy scalar (np.int64(3), np.float64(0.1), np.bool_(True)); nullopt for
// anything else. Bytes are taken as little-endian, as torch.save's own are.
std::optional<ir::Value> numpy_scalar(const Object& object);

}  // namespace mase::io
