#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mase/data/columns.h"
#include "mase/ir/value.h"

// The value of --columns and of [data]: a dictionary of the parts of a data::ColumnMap, each a list
// of texts.
namespace ch {

// "features=mass,pt" as a dictionary with this part. On failure nothing, and `problem` says why.
std::optional<mase::ir::Value> parse_columns(std::string_view text, std::string& problem);
// Adds the parts of another dictionary; what is wrong with that, or "".
std::string merge_columns(mase::ir::Value& value, const mase::ir::Value& more);
// Brings a dictionary into form: a single text counts as a list of one, numbers as their texts.
// What is wrong with it, or "".
std::string check_columns(mase::ir::Value& value);
mase::data::ColumnMap column_map(const mase::ir::Value& value);  // None = nothing said

// "--columns features=A,B,... " and so on: the help, from the rows of the parts.
std::string_view columns_help();

}  // namespace ch
