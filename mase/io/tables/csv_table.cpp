// CSV read record by record, so that a file of any length takes little memory.
#include "mase/io/tables/csv_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "mase/io/tables/csv_dialect.h"
#include "mase/io/tables/csv_records.h"

namespace mase::io {
namespace {

constexpr std::size_t kLongestRecord = std::size_t{1} << 24;
constexpr std::size_t kPieceRows = 8192;

int as_line(std::int64_t line) {
  return static_cast<int>(std::min<std::int64_t>(line, std::numeric_limits<int>::max()));
}

class CsvTable : public Table {
 public:
  explicit CsvTable(const std::filesystem::path& path) : Table(path) {}

  Status open();
  Status read(std::span<const std::size_t> wanted, const RowSink& sink) override;
  Location where(std::int64_t row) const override {
    const std::int64_t i = row - first_;
    if (i < 0 || i >= static_cast<std::int64_t>(lines_.size())) return Table::where(row);
    return {.file = path_.string(), .line = as_line(lines_[static_cast<std::size_t>(i)])};
  }

 private:
  // A number or class that a wanted column holds.
  Status parse_cell(std::size_t column, std::string_view field, double& out);
  // `places` says which place of a wanted row each column goes to, -1 for none.
  Status parse_row(std::string_view record, std::span<const std::int64_t> places,
                   std::span<double> row);
  // Whether a number keeps to the decimal mark of the numbers before it.
  Status check_mark(std::size_t column, std::string_view field);
  ReadError error_here(std::string message) const {
    ReadError out = error(std::move(message));
    out.where.line = as_line(line_);
    return out;
  }

  CsvDialect dialect_;
  char mark_ = 0;  // decimal mark of the numbers so far, 0 if none had one
  std::int64_t mark_line_ = 0;
  std::int64_t line_ = 0;            // of the current record
  std::int64_t first_ = 0;           // row of the current piece
  std::vector<std::int64_t> lines_;  // of its rows
};

Status CsvTable::open() {
  CsvRecords records(path_);
  auto dialect = find_dialect(records, path_);
  if (!dialect) return dialect.error();
  dialect_ = *std::move(dialect);
  columns_ = dialect_.columns;
  return std::monostate{};
}

Status CsvTable::check_mark(std::size_t column, std::string_view field) {
  const std::size_t at = field.find_first_of(".,");
  if (at == std::string_view::npos || field[at] == mark_) return std::monostate{};
  if (mark_ != 0) {
    return error_here(fmt::format(
        "column {}: '{}' is written with a decimal {}, a number of line "
        "{} with a decimal {}: which is meant cannot be told",
        brief(columns_[column]), brief(trim(field)), field[at] == ',' ? "comma" : "point",
        mark_line_, mark_ == ',' ? "comma" : "point"));
  }
  mark_ = field[at];
  mark_line_ = line_;
  return std::monostate{};
}

Status CsvTable::parse_cell(std::size_t column, std::string_view field, double& out) {
  if (const Categories* classes = categories(column)) {
    const std::string text = unquote(field);
    const std::int64_t number = classes->of(text);
    if (number < 0) {
      ReadError error =
          no_category(column, first_ + static_cast<std::int64_t>(lines_.size()), text);
      error.where.line = as_line(line_);
      return error;
    }
    out = static_cast<double>(number);
    return std::monostate{};
  }
  const bool may_be_comma = dialect_.delimiter != ',';
  if (!parse_number(field, may_be_comma, out)) {
    return error_here(
        fmt::format("column {}: '{}' is not a number", brief(columns_[column]), brief(field)));
  }
  return may_be_comma ? check_mark(column, field) : Status(std::monostate{});
}

Status CsvTable::parse_row(std::string_view record, std::span<const std::int64_t> places,
                           std::span<double> row) {
  std::size_t column = 0;
  std::string_view field;
  for (bool more = true; next_field(record, dialect_.delimiter, more, field); ++column) {
    if (column >= places.size() || places[column] < 0) continue;
    auto status = parse_cell(column, field, row[static_cast<std::size_t>(places[column])]);
    if (!status) return status;
  }
  if (column != places.size()) {
    return error_here(
        fmt::format("has {} fields, but the first line names {} columns", column, places.size()));
  }
  return std::monostate{};
}

Status CsvTable::read(std::span<const std::size_t> wanted, const RowSink& sink) {
  std::vector<std::int64_t> places(columns_.size(), -1);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    places.at(wanted[i]) = static_cast<std::int64_t>(i);
  }
  CsvRecords records(path_);
  records.set_limit(kLongestRecord);
  std::string_view record;
  for (std::int64_t i = 0; i < dialect_.before; ++i) {
    if (!records.next(record)) return error("cannot be read: " + records.error());
  }
  std::vector<double> values;
  const auto deliver = [&]() -> Status {
    if (lines_.empty()) return std::monostate{};
    auto status = sink(first_, values);
    first_ += static_cast<std::int64_t>(lines_.size());
    lines_.clear();
    values.clear();
    return status;
  };
  first_ = 0;
  mark_ = 0;
  lines_.clear();
  while (records.next(record)) {
    if (trim(record).empty()) continue;
    line_ = records.line();
    values.resize(values.size() + wanted.size());
    const auto row = std::span(values).last(wanted.size());
    if (auto status = parse_row(record, places, row); !status) return status;
    lines_.push_back(line_);
    if (lines_.size() == kPieceRows) {
      if (auto status = deliver(); !status) return status;
    }
  }
  line_ = records.line();
  if (!records.error().empty()) return error_here(records.error());
  return deliver();
}

}  // namespace

Result<std::unique_ptr<Table>> open_csv_table(const std::filesystem::path& path) {
  auto table = std::make_unique<CsvTable>(path);
  if (auto status = table->open(); !status) return status.error();
  return std::unique_ptr<Table>(std::move(table));
}

}  // namespace mase::io
