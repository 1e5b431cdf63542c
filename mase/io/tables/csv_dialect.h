#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mase/io/tables/csv_records.h"
#include "mase/support/result.h"

namespace mase::io {

// How a CSV file is written, and what its columns are called.
struct CsvDialect {
  char delimiter = ',';
  std::vector<std::string> columns;
  std::int64_t before = 0;  // records before the first row
};

// Takes the dialect from the beginning of a file: blank lines and lines that begin with # are
// skipped; the next names the columns, unless it holds numbers and the last comment names as many
// columns, as numpy.savetxt writes it. The delimiter is that of comma, semicolon and tab that the
// line has most of.
Result<CsvDialect> find_dialect(CsvRecords& records, const std::filesystem::path& path);

// Takes the first field off the record, as written. False once the record is used up (`more` is
// true at first); a record that ends with a delimiter has an empty last field.
bool next_field(std::string_view& record, char delimiter, bool& more, std::string_view& field);

std::string_view trim(std::string_view text);  // without blanks at the ends
std::string unquote(std::string_view field);   // "a ""b"" c" without its quotes, else the field

// A number as C writes it (1, +2, -2.5e3, inf, nan) or a truth value (True, false), in quotes or
// not. With `decimal_comma` also 2,5.
bool parse_number(std::string_view text, bool decimal_comma, double& out);

}  // namespace mase::io
