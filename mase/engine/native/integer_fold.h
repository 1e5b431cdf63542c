#pragma once

#include <span>
#include <utility>
#include <vector>

#include "mase/engine/native/integer_kernels.h"
#include "mase/engine/native/plan.h"

// A pointwise step as the integer kernels do it: one multiply-add, rounding, integer bounds.
namespace mase::engine::native {

struct CodeRange {
  double low = 0;
  double high = 0;
};
// What codes the results of a pointwise step with quantise_out can have.
CodeRange code_range(const PlanStep& step);

// x = unit * code, what the step reads.
struct StepInput {
  int features = 0;
  double unit = 1;
  std::span<const double> largest;   // bound of |code| per feature; empty: unknown
  const float* norm_gain = nullptr;  // of the step's batch norm, folded; null: none
  const float* norm_shift = nullptr;
};

// The arrays behind an Encoding or a Decoding.
struct Folded {
  std::vector<float> gain;
  std::vector<float> shift;
  Encoding encoding;
  Decoding decoding;
  // The form with pointers to the arrays.
  Encoding encode(CodeSize size) const;
  Decoding decode() const;
};

// The step as an Encoding (if it quantises its result) or a Decoding (if it quantises nothing) that
// gives the same bits; false if it cannot be told to do so.
bool fold(const PlanStep& step, const StepInput& input, Folded& out);

}  // namespace mase::engine::native
