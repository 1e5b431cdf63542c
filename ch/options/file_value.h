#pragma once

#include <optional>
#include <string>

#include "ch/options/option.h"
#include "mase/io/text/toml.h"

namespace ch {

// A file's value as the option's type; nothing if the kind does not fit.
std::optional<mase::ir::Value> convert_value(const Option& option, const mase::io::TomlNode& node);
// "must be a number, not 'x'"
std::string wrong_kind(const Option& option, const mase::io::TomlNode& node);
// As check_value, for a value that stands at `where`: paths are looked for from there as well.
std::string check_file_value(const Option& option, const mase::Location& where,
                             mase::ir::Value& value);

}  // namespace ch
