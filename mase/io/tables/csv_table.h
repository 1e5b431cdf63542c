#pragma once

#include <filesystem>
#include <memory>

#include "mase/io/tables/table.h"

namespace mase::io {

// Rows of numbers, separated by commas, semicolons or tabs, gzipped or not. The first line that is
// neither blank nor a comment (#) names the columns (see find_dialect); fields may be quoted
// ("a ""b"" c"); lines end with LF or CRLF, and blank ones are skipped. A wanted field must be one
// number as C writes it (1, -2.5e3, inf, nan) or a truth value (True, false), spaces around it are
// allowed; between semicolons and tabs a number may have a decimal comma, if all have. Other fields
// may hold anything. Errors name the line.
//
// Bounds: a line that names columns may have 1 MiB, a row 16 MiB; memory is that of one row and of
// 8192 rows of numbers, whatever the file unpacks to.
Result<std::unique_ptr<Table>> open_csv_table(const std::filesystem::path& path);

}  // namespace mase::io
