#pragma once

#include <optional>
#include <string_view>

namespace mase::io {

// How deep tables and arrays may lie in each other, dotted keys included.
inline constexpr int kDeepestToml = 100;

// Where a TOML text nests deeper than that, before it is parsed: the parser takes a level of the
// stack for each. Texts that are no TOML give any answer up to their first mistake.
struct TomlPlace {
  int line = 1;
  int column = 1;
};
std::optional<TomlPlace> too_deep(std::string_view text);

}  // namespace mase::io
