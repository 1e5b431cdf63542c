#pragma once

#include <filesystem>
#include <memory>

#include "mase/io/table.h"

namespace mase::io {

// Comma-separated numbers. The first line names the columns; fields may be quoted ("a ""b"" c");
// lines end with LF or CRLF, and empty ones are skipped. A wanted field must be one number as C
// writes it (1, -2.5e3, inf, nan), spaces around it are allowed; others may hold anything. Errors
// name the line.
Result<std::unique_ptr<Table>> open_csv_table(const std::filesystem::path& path);

}  // namespace mase::io
