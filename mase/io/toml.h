#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mase/ir/value.h"
#include "mase/support/error.h"
#include "mase/support/result.h"

namespace mase::io {

// A TOML value with the place it stands at. Tables keep the order of the file (MASE runs passes in
// file order). The text "NA" means none anywhere and is read as None.
struct TomlNode {
  Location where;
  ir::Value value;                                           // scalars and arrays of scalars
  std::vector<std::pair<std::string, TomlNode>> table = {};  // tables, in file order
  std::vector<TomlNode> items = {};                          // arrays that hold tables
  bool is_table = false;

  const TomlNode* find(std::string_view key) const;  // null if absent
  ir::Value to_value() const;                        // the whole tree without places
};

Result<TomlNode> read_toml(const std::filesystem::path& path);
Result<TomlNode> parse_toml(std::string_view text, const std::string& file_name);

// A dictionary as TOML: nested dictionaries as [a.b] tables, None as "NA", doubles in shortest
// form.
std::string write_toml(const ir::Dict& values);

}  // namespace mase::io
