// The list of number formats.
#include <array>

#include "mase/numerics/format.h"

namespace mase::numerics {

// Each in the file of its name.
extern const Format kBlockFp;
extern const Format kInteger;
extern const Format kLsqInteger;
extern const Format kMinifloatIeee;

namespace {

// Sorted by name; a test holds that.
constexpr std::array kFormats = {
    &kBlockFp,
    &kInteger,
    &kLsqInteger,
    &kMinifloatIeee,
};

}  // namespace

std::span<const Format* const> formats() {
  return kFormats;
}

const Format* find_format(std::string_view name) {
  for (const Format* format : kFormats) {
    if (format->name == name) return format;
    for (std::string_view alias : format->aliases) {
      if (alias == name) return format;
    }
  }
  return nullptr;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Format* format : kFormats) {
    names.emplace_back(format->name);
    for (const std::string_view alias : format->aliases) names.emplace_back(alias);
  }
  return names;
}

}  // namespace mase::numerics
