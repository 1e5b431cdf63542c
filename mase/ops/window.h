#pragma once

#include <cstdint>
#include <vector>

#include "mase/ops/op.h"

namespace mase::ops {

// A window that slides along one dimension: position p covers the entries
// p * stride - before + k * dilation for k = 0 .. size - 1, of which those outside are padding.
struct Window {
  std::int64_t size = 1;
  std::int64_t stride = 1;
  std::int64_t before = 0;  // padding in front and behind
  std::int64_t after = 0;
  std::int64_t dilation = 1;
  bool ceil = false;  // count a last position that reaches over the end

  // Positions over `length` entries; 0 or less if it does not fit.
  std::int64_t positions(std::int64_t length) const;
};

// The windows of a convolution or a pooling, one per dimension of space, from its attributes
// (kernel_size, stride, padding, dilation, ceil_mode; those it has).
std::vector<Window> windows_of(const Site& site);

// Replaces the last dimensions of a shape, one per window, by the numbers of positions. Throws
// Error{Usage} where a window does not fit.
void slide(const std::vector<Window>& windows, ir::Shape& shape, const Location& where);

// Of dimensions that a pooling shrinks to a given size: the sizes asked for, where None leaves the
// input's size as it is.
std::vector<std::int64_t> adaptive_sizes(const Site& site, const ir::Shape& input);

// The numbers of an attribute of type Sizes, one per dimension.
std::vector<std::int64_t> sizes(const ir::Value& value, std::size_t rank);

}  // namespace mase::ops
