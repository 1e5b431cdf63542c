#pragma once

#include <cstdint>
#include <string_view>

#include "mase/ir/tensor.h"

// What the readers of new and old torch.save files share.
namespace mase::io {

// Shared storages and expanded views make a file unfold; honest ones a few times.
inline constexpr std::uint64_t kUnfold = 4;
inline constexpr std::uint64_t kFloor = std::uint64_t{1} << 26;

// The element type of "torch.FloatStorage"; false for classes without a type of ours.
bool parse_storage_class(std::string_view name, ir::DType& out);

}  // namespace mase::io
