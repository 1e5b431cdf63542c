#pragma once

#include <filesystem>

#include "mase/ir/tensor.h"
#include "mase/support/result.h"

namespace mase::io {

// An IDX file (the format of the MNIST files), gzipped or not: one dense array of uint8, int8,
// int16, int32, float32 or float64. The file must hold exactly what its header says.
Result<ir::Tensor> read_idx(const std::filesystem::path& path);

}  // namespace mase::io
