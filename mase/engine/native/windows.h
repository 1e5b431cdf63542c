#pragma once

#include <cstdint>
#include <vector>

// Sliding windows as tables, so that one kernel serves every stride, padding and dilation, and the
// gradients as well: positions whose windows read the same entries relative to their first one
// form a patch.
namespace mase::engine::native {

// An entry of a window: so many features behind the window's base, times that weight.
struct Tap {
  std::int32_t offset;
  std::int32_t weight;
};

// A grid of results with the same taps. Steps lead from a row or a column to the next, counted in
// features: `out` of the result, `in` of the base that taps are relative to.
struct Patch {
  int rows;
  int columns;
  int out;
  int out_row;
  int out_column;
  int in;
  int in_row;
  int in_column;
  int first_tap;
  int taps;
  float factor;  // of averages: one over what the sum is divided by
};

struct Windows {
  std::vector<Patch> patches;
  std::vector<Tap> taps;
};

}  // namespace mase::engine::native
