// Python literals as npy headers hold them: a value no deeper than allowed that prints as what it
// was read from, or an error.
#include "mase/io/text/python_literal.h"

#include <algorithm>

#include "fuzz/harness.h"

namespace {

using namespace mase;

int depth_of(const ir::Value& value) {
  int deepest = 0;
  const auto look = [&](const ir::Value& item) { deepest = std::max(deepest, depth_of(item)); };
  if (const auto* list = value.get<ir::List>()) std::for_each(list->begin(), list->end(), look);
  if (const auto* tuple = value.get<ir::Tuple>()) {
    std::for_each(tuple->items.begin(), tuple->items.end(), look);
  }
  if (const auto* dict = value.get<ir::Dict>()) {
    for (const auto& [key, item] : *dict) look(item);
  }
  return deepest + 1;
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  const auto value = io::parse_python_literal(fuzz::text_of(bytes));
  if (!value) return fuzz::require(!value.error().message.empty(), "an error says what is wrong");
  fuzz::require(depth_of(*value) <= 33, "no deeper than allowed");
  const std::string printed = ir::repr(*value);
  const auto again = io::parse_python_literal(printed);
  fuzz::require(again.ok() && ir::repr(*again) == printed, "read, printed, read");
}
