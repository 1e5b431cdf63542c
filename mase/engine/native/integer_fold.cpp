// Folding rests on three facts. Multiplying by a power of two commutes with rounding, so that the
// scale of a grid can be part of the batch norm's numbers. Rounding is monotone, so that bounds of
// an activation can be applied to codes. The product of gain and sum is not rounded before the
// shift is added (fma_once in simd.h), so that the unit of the sum can be part of the gain.
#include "mase/engine/native/integer_fold.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mase::engine::native {
namespace {

constexpr double kCodes = 1 << 30;  // codes before clamping stay below, 32 bits in sight

// x * power as a float of the same significand; false if it has left the normal floats.
bool scaled(float x, double power, float& out) {
  const double exact = static_cast<double>(x) * power;
  out = static_cast<float>(exact);
  if (exact == 0) return true;
  return std::isnormal(out) && static_cast<double>(out) == exact;
}

// The bounds of an activation on its results.
CodeRange bounds(const PlanStep& step) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (step.activation) {
    case Activation::None:
      break;
    case Activation::Relu:
      return {0, kInfinity};
    case Activation::Clamp:
      return {step.low, step.high};
    case Activation::Sigmoid:
      return {0, 1};
    case Activation::Tanh:
      return {-1, 1};
  }
  return {-kInfinity, kInfinity};
}

bool folds(const PlanStep& step) {
  if (step.kind != StepKind::Pointwise) return false;
  if (step.activation == Activation::Sigmoid || step.activation == Activation::Tanh) return false;
  if (step.activation == Activation::Clamp && !(step.low <= step.high)) return false;
  return step.quantise_out.has_value() || !step.quantise_in.has_value();
}

}  // namespace

CodeRange code_range(const PlanStep& step) {
  const Grid& grid = *step.quantise_out;
  const auto code = [&](double bound) {
    return std::clamp<double>(std::nearbyint(bound * grid.scale), grid.low, grid.high);
  };
  const CodeRange value = bounds(step);
  if (!(value.low <= value.high)) return {grid.low, grid.high};
  return {code(value.low), code(value.high)};
}

bool fold(const PlanStep& step, const StepInput& input, Folded& out) {
  if (!folds(step)) return false;
  const bool regrid = step.quantise_in.has_value();
  const Grid* grid = regrid              ? &*step.quantise_in
                     : step.quantise_out ? &*step.quantise_out
                                         : nullptr;
  const double scale = grid ? grid->scale : 1.0;
  const auto padded = static_cast<std::size_t>((input.features + 15) / 16 * 16);
  out.gain.assign(padded, 0.0f);
  out.shift.assign(padded, 0.0f);
  for (std::size_t f = 0; f < static_cast<std::size_t>(input.features); ++f) {
    const float gain = input.norm_gain ? input.norm_gain[f] : 1.0f;
    const float shift = input.norm_shift ? input.norm_shift[f] : 0.0f;
    if (!scaled(gain, input.unit * scale, out.gain[f])) return false;
    if (!scaled(shift, scale, out.shift[f])) return false;
    if (!grid || input.largest.empty()) continue;
    const double most = std::abs(static_cast<double>(out.gain[f])) * input.largest[f];
    if (!(most + std::abs(out.shift[f]) < kCodes)) return false;
  }
  if (!grid) {
    const CodeRange value = bounds(step);
    out.decoding.low = static_cast<float>(value.low);
    out.decoding.high = static_cast<float>(value.high);
    return true;
  }
  const CodeRange range = code_range(step);
  if (std::abs(range.low) > 32768 || std::abs(range.high) > 32767) return false;
  Encoding& e = out.encoding;
  e.low = static_cast<int>(range.low);
  e.high = static_cast<int>(range.high);
  e.regrid = regrid;
  if (!regrid) return true;
  e.in_low = grid->low;
  e.in_high = grid->high;
  const double ratio = static_cast<double>(grid->step) * step.quantise_out->scale;
  return scaled(1.0f, ratio, e.ratio) && -e.in_low * ratio < kCodes && e.in_high * ratio < kCodes;
}

Encoding Folded::encode(CodeSize size) const {
  Encoding form = encoding;
  form.gain = gain.data();
  form.shift = shift.data();
  form.size = size;
  return form;
}

Decoding Folded::decode() const {
  Decoding form = decoding;
  form.gain = gain.data();
  form.shift = shift.data();
  return form;
}

}  // namespace mase::engine::native
