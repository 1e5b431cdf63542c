// How a tensor is cut into blocks. Blocking: MASE's, with one rule for every number of dimensions.
#include "mase/numerics/blocks.h"

namespace mase::numerics {
namespace {

std::int64_t blocks_along(std::int64_t size, std::int64_t block) {
  return (size + block - 1) / block;
}

}  // namespace

std::int64_t Blocks::count() const {
  std::int64_t count = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) count *= blocks_along(shape[d], block[d]);
  return count;
}

std::int64_t Blocks::block_of(std::int64_t element) const {
  std::int64_t number = 0;
  std::int64_t stride = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    number += element % shape[d] / block[d] * stride;
    element /= shape[d];
    stride *= blocks_along(shape[d], block[d]);
  }
  return number;
}

Blocks blocks_of(const Edge& edge, std::span<const std::int64_t> block_size) {
  Blocks blocks{.shape = edge.shape, .block = {}};
  const std::size_t rank = edge.shape.size();
  for (std::size_t d = 0; d < rank; ++d) {
    const std::size_t from_right = rank - d;
    const std::int64_t whole = std::max<std::int64_t>(edge.shape[d], 1);
    std::int64_t size = from_right <= 2 ? whole : 1;
    if (from_right <= block_size.size()) {
      const std::int64_t wanted = block_size[block_size.size() - from_right];
      size = wanted < 0 ? whole : std::min(wanted, whole);
    }
    blocks.block.push_back(edge.samples_first && d == 0 ? 1 : size);
  }
  return blocks;
}

}  // namespace mase::numerics
