// Numbers on the progress line, formatted as tqdm and Lightning do together.
#include <fmt/format.h>

#include <cmath>

#include "mase/ir/value.h"
#include "mase/train/text.h"

namespace mase::train {
namespace {

// "1e-05" becomes "1e-5".
std::string short_exponent(std::string text) {
  const std::size_t e = text.find('e');
  if (e != std::string::npos && text.size() > e + 3 && text[e + 2] == '0') text.erase(e + 2, 1);
  return text;
}

}  // namespace

std::string progress_number(double value) {
  constexpr std::size_t kWidth = 5;
  if (!std::isfinite(value)) return fmt::format("{}", value);
  const std::string three_digits = short_exponent(fmt::format("{:.3g}", value));
  const std::string all_digits = ir::repr(value);
  std::string text = three_digits.size() < all_digits.size() ? three_digits : all_digits;
  if (text.find('e') != std::string::npos) return text;
  if (text.find('.') == std::string::npos && text.size() < kWidth) text += '.';
  if (text.size() < kWidth) text.append(kWidth - text.size(), '0');
  return text;
}

}  // namespace mase::train
