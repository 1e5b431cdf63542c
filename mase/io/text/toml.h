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
  ir::Value value;  // of scalars and of arrays without tables
  std::vector<std::pair<std::string, TomlNode>> table = {};  // tables, in file order
  std::vector<TomlNode> items = {};                          // of arrays; empty inside of those
  bool is_table = false;

  const TomlNode* find(std::string_view key) const;  // null if absent
  ir::Value to_value() const;                        // the whole tree without places
};

// At most 64 MB; memory in proportion to the text (about 500 bytes for one of "1,1,1,..."), tables
// and lists at most 100 deep (io/text/toml_depth.h).
Result<TomlNode> read_toml(const std::filesystem::path& path);
Result<TomlNode> parse_toml(std::string_view text, const std::string& file_name);

// A dictionary as TOML: nested dictionaries as [a.b] tables, None as "NA", doubles in shortest
// form.
std::string write_toml(const ir::Dict& values);

}  // namespace mase::io
