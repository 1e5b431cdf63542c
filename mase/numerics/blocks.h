#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "mase/numerics/format.h"

// Blocks of a tensor: the elements that share an exponent or a scale.
namespace mase::numerics {

// A tensor cut into equal blocks, the last of a dimension cut short where sizes do not divide.
struct Blocks {
  std::vector<std::int64_t> shape;  // of the tensor
  std::vector<std::int64_t> block;  // sizes of a block, as many dimensions

  std::int64_t count() const;
  // The number of the block that an element lies in, blocks in row-major order.
  std::int64_t block_of(std::int64_t element) const;
};

// `block_size` is matched with the tensor's dimensions from the right; -1 or more than there is
// means the whole dimension. Entries too many are dropped. Where entries are missing, a block
// extends over the whole of the last two dimensions and over one entry of those before. Samples
// never share a block.
Blocks blocks_of(const Edge& edge, std::span<const std::int64_t> block_size);

// Calls fn(block, first, size) for every contiguous run of a block's elements, in row-major order.
template <typename Fn>
void for_each_run(const Blocks& blocks, Fn&& fn) {
  std::int64_t elements = 1;
  for (const std::int64_t size : blocks.shape) elements *= size;
  if (elements == 0) return;
  const std::int64_t row = blocks.shape.empty() ? 1 : blocks.shape.back();
  const std::int64_t width = blocks.block.empty() ? 1 : blocks.block.back();
  for (std::int64_t start = 0; start < elements; start += row) {
    const std::int64_t first_block = blocks.block_of(start);
    for (std::int64_t at = 0; at < row; at += width) {
      fn(first_block + at / width, start + at, std::min(width, row - at));
    }
  }
}

}  // namespace mase::numerics
