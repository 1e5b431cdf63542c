// CSV (RFC 4180) read in blocks, so that a file of any length takes little memory. Numbers by
// std::from_chars: correctly rounded and the same in every locale.
#include "mase/io/csv_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <limits>

namespace mase::io {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr std::size_t kLongestRecord = std::size_t{1} << 24;
constexpr std::size_t kPieceRows = 8192;

// One record of the file after the other: the text between line ends outside quotes.
class Records {
 public:
  explicit Records(const std::filesystem::path& path)
      : file_(std::fopen(path.c_str(), "rb"), std::fclose) {
    if (!file_) error_ = std::strerror(errno);
  }

  // The next record without its line end, or nothing at the end or after an error. Valid until the
  // next call.
  bool next(std::string_view& record) {
    for (;;) {
      const std::size_t end = find_end();
      if (end != std::string::npos) {
        record = std::string_view(buffer_).substr(begin_, end - begin_);
        line_ = next_line_;
        next_line_ += 1 + std::count(record.begin(), record.end(), '\n');
        begin_ = scanned_ = std::min(end + 1, buffer_.size());
        if (record.ends_with('\r')) record.remove_suffix(1);
        return true;
      }
      if (!error_.empty() || !fill()) return false;
    }
  }

  std::int64_t line() const { return line_; }  // on which the last record began, from 1
  const std::string& error() const { return error_; }

 private:
  // The end of the record that begins at begin_, npos if it is not in the buffer.
  std::size_t find_end() {
    for (; scanned_ < buffer_.size(); ++scanned_) {
      const char c = buffer_[scanned_];
      if (c == '"') quoted_ = !quoted_;  // a doubled quote toggles twice
      if (c == '\n' && !quoted_) return scanned_;
    }
    if (!at_end_ || begin_ == buffer_.size()) return std::string::npos;
    if (quoted_) {
      error_ = "a quoted field is not closed";
      line_ = next_line_;
      return std::string::npos;
    }
    return buffer_.size();
  }

  bool fill() {
    if (at_end_ || !file_) return false;
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    if (buffer_.size() > kLongestRecord) {
      error_ = fmt::format("a line is longer than {} bytes", kLongestRecord);
      line_ = next_line_;
      return false;
    }
    const std::size_t kept = buffer_.size();
    buffer_.resize(kept + kBlock);
    const std::size_t got = std::fread(buffer_.data() + kept, 1, kBlock, file_.get());
    buffer_.resize(kept + got);
    if (std::ferror(file_.get())) {
      error_ = std::strerror(errno);
      return false;
    }
    at_end_ = got < kBlock;
    return true;
  }

  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::string buffer_;
  std::size_t begin_ = 0;    // of the next record
  std::size_t scanned_ = 0;  // no record ends before this
  bool quoted_ = false;
  bool at_end_ = false;
  std::int64_t line_ = 0;
  std::int64_t next_line_ = 1;
  std::string error_;
};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Takes the first field off the record, as written. False once the record is used up; a record
// that ends with a comma has an empty last field.
bool next_field(std::string_view& record, bool& more, std::string_view& field) {
  if (!more) return false;
  bool quoted = false;
  std::size_t end = 0;
  for (; end < record.size() && (quoted || record[end] != ','); ++end) {
    if (record[end] == '"') quoted = !quoted;
  }
  field = record.substr(0, end);
  more = end < record.size();
  record.remove_prefix(more ? end + 1 : end);
  return true;
}

std::string unquote(std::string_view field) {
  field = trim(field);
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return std::string(field);
  std::string out;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    out += field[i];
    if (field[i] == '"') ++i;
  }
  return out;
}

bool parse_number(std::string_view text, double& out) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = trim(text.substr(1, text.size() - 2));
  }
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const char* last = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), last, out);
  if (parsed.ec == std::errc::result_out_of_range) {  // does not say whether too large or too small
    long double wide = 0;
    parsed = std::from_chars(text.data(), last, wide);
    out = static_cast<double>(wide);
  }
  return parsed.ec == std::errc{} && parsed.ptr == last;
}

class CsvTable : public Table {
 public:
  explicit CsvTable(const std::filesystem::path& path) : Table(path) {}

  Status open();
  Status read(std::span<const std::size_t> wanted, const RowSink& sink) override;
  Location where(std::int64_t row) const override {
    const std::int64_t i = row - first_;
    if (i < 0 || i >= static_cast<std::int64_t>(lines_.size())) return Table::where(row);
    return {.file = path_.string(),
            .line = static_cast<int>(std::min<std::int64_t>(lines_[static_cast<std::size_t>(i)],
                                                            std::numeric_limits<int>::max()))};
  }

 private:
  // Which place of a wanted row each column goes to, -1 for none.
  Status parse_row(std::string_view record, std::int64_t line, std::span<const std::int64_t> places,
                   std::span<double> row) const;
  ReadError error_at(std::int64_t line, std::string message) const {
    ReadError out = error(std::move(message));
    out.where.line =
        static_cast<int>(std::min<std::int64_t>(line, std::numeric_limits<int>::max()));
    return out;
  }

  std::int64_t first_ = 0;           // row of the current piece
  std::vector<std::int64_t> lines_;  // of its rows
};

Status CsvTable::open() {
  Records records(path_);
  std::string_view header;
  if (!records.next(header)) {
    return records.error().empty() ? error("is empty")
                                   : error("cannot be read: " + records.error());
  }
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (header.starts_with(kByteOrderMark)) header.remove_prefix(kByteOrderMark.size());
  if (header.find('\0') != std::string_view::npos) return error("is not a text file");
  std::string_view field;
  for (bool more = true; next_field(header, more, field);) {
    columns_.push_back(unquote(field));
    double number = 0;
    if (parse_number(field, number)) {
      return error_at(records.line(), fmt::format("the first line must name the columns; it holds "
                                                  "the number {}",
                                                  columns_.back()));
    }
  }
  return std::monostate{};
}

Status CsvTable::parse_row(std::string_view record, std::int64_t line,
                           std::span<const std::int64_t> places, std::span<double> row) const {
  std::size_t column = 0;
  std::string_view field;
  for (bool more = true; next_field(record, more, field); ++column) {
    if (column >= places.size() || places[column] < 0) continue;
    if (!parse_number(field, row[static_cast<std::size_t>(places[column])])) {
      return error_at(line, fmt::format("column {}: '{}' is not a number", columns_[column],
                                        field.substr(0, 40)));
    }
  }
  if (column != places.size()) {
    return error_at(line, fmt::format("has {} fields, but the first line names {} columns", column,
                                      places.size()));
  }
  return std::monostate{};
}

Status CsvTable::read(std::span<const std::size_t> wanted, const RowSink& sink) {
  std::vector<std::int64_t> places(columns_.size(), -1);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    places.at(wanted[i]) = static_cast<std::int64_t>(i);
  }
  Records records(path_);
  std::string_view record;
  if (!records.next(record)) return error("cannot be read: " + records.error());
  std::vector<double> values(kPieceRows * wanted.size());
  const auto deliver = [&]() -> Status {
    if (lines_.empty()) return std::monostate{};
    auto status = sink(first_, std::span(values).first(lines_.size() * wanted.size()));
    first_ += static_cast<std::int64_t>(lines_.size());
    lines_.clear();
    return status;
  };
  first_ = 0;
  lines_.clear();
  while (records.next(record)) {
    if (trim(record).empty()) continue;
    const auto row = std::span(values).subspan(lines_.size() * wanted.size(), wanted.size());
    if (auto status = parse_row(record, records.line(), places, row); !status) return status;
    lines_.push_back(records.line());
    if (lines_.size() == kPieceRows) {
      if (auto status = deliver(); !status) return status;
    }
  }
  if (!records.error().empty()) return error_at(records.line(), records.error());
  return deliver();
}

}  // namespace

Result<std::unique_ptr<Table>> open_csv_table(const std::filesystem::path& path) {
  auto table = std::make_unique<CsvTable>(path);
  if (auto status = table->open(); !status) return status.error();
  return std::unique_ptr<Table>(std::move(table));
}

}  // namespace mase::io
