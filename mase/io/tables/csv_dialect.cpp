// Fields and numbers of CSV (RFC 4180), and what a file's first lines tell of the rest. Numbers by
// std::from_chars: correctly rounded and the same in every locale.
#include "mase/io/tables/csv_dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "mase/io/tables/table.h"

namespace mase::io {
namespace {

constexpr std::size_t kLongestHeader = std::size_t{1} << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Fields of a record that are separated by this.
std::size_t count_fields(std::string_view record, char delimiter) {
  std::size_t count = 0;
  std::string_view field;
  for (bool more = true; next_field(record, delimiter, more, field);) ++count;
  return count;
}

char find_delimiter(std::string_view record) {
  char best = ',';
  std::size_t most = 1;
  for (const char delimiter : {',', ';', '\t'}) {
    const std::size_t count = count_fields(record, delimiter);
    if (count > most) best = delimiter;
    most = std::max(most, count);
  }
  return best;
}

// The first number among the fields, or nothing.
bool find_number(std::string_view record, char delimiter, std::string_view& field) {
  double number = 0;
  for (bool more = true; next_field(record, delimiter, more, field);) {
    const std::string_view text = trim(field);
    // "True" may well be the name of a column.
    const bool word =
        !text.empty() && (text[0] == 'T' || text[0] == 't' || text[0] == 'F' || text[0] == 'f');
    if (!word && parse_number(field, delimiter != ',', number)) return true;
  }
  return false;
}

bool parse_plain(std::string_view text, double& out) {
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

bool parse_decimal_comma(std::string_view text, double& out) {
  std::array<char, 64> buffer;
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos || text.size() > buffer.size() ||
      text.find('.') != std::string_view::npos) {
    return false;
  }
  std::copy(text.begin(), text.end(), buffer.begin());
  buffer[comma] = '.';
  return parse_plain({buffer.data(), text.size()}, out);
}

bool parse_truth(std::string_view text, double& out) {
  for (const std::string_view word : {"True", "true", "TRUE"}) {
    if (text == word) return out = 1, true;
  }
  for (const std::string_view word : {"False", "false", "FALSE"}) {
    if (text == word) return out = 0, true;
  }
  return false;
}

// A comment line in the place of the header: what follows its # signs.
std::string_view header_in_comment(std::string_view comment, const CsvDialect& dialect,
                                   std::size_t fields) {
  comment.remove_prefix(std::min(comment.find_first_not_of("# \t"), comment.size()));
  std::string_view number;
  const bool fits = !comment.empty() && count_fields(comment, dialect.delimiter) == fields &&
                    !find_number(comment, dialect.delimiter, number);
  return fits ? comment : std::string_view{};
}

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool next_field(std::string_view& record, char delimiter, bool& more, std::string_view& field) {
  if (!more) return false;
  bool quoted = false;
  std::size_t end = 0;
  for (; end < record.size() && (quoted || record[end] != delimiter); ++end) {
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

bool parse_number(std::string_view text, bool decimal_comma, double& out) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = trim(text.substr(1, text.size() - 2));
  }
  return parse_plain(text, out) || (decimal_comma && parse_decimal_comma(text, out)) ||
         parse_truth(text, out);
}

Result<CsvDialect> find_dialect(CsvRecords& records, const std::filesystem::path& path) {
  const auto error = [&](std::string message, std::int64_t line = 0) {
    return ReadError{std::move(message), {.file = path.string(), .line = static_cast<int>(line)}};
  };
  records.set_limit(kLongestHeader);
  CsvDialect out;
  std::string comment;
  std::string_view header;
  for (bool found = false; !found; ++out.before) {
    if (!records.next(header)) {
      if (!records.error().empty()) return error("cannot be read: " + records.error());
      return error(out.before == 0 ? "is empty" : "holds no line that names columns");
    }
    if (out.before == 0 && header.starts_with(kByteOrderMark)) {
      header.remove_prefix(kByteOrderMark.size());
    }
    if (header.find('\0') != std::string_view::npos) return error("is not a text file");
    const std::string_view text = trim(header);
    found = !text.empty() && text.front() != '#';
    if (!found && !text.empty()) comment = text;
  }
  out.delimiter = find_delimiter(header);
  if (std::string_view number; find_number(header, out.delimiter, number)) {
    const std::string value = brief(unquote(number));
    header = header_in_comment(comment, out, count_fields(header, out.delimiter));
    if (header.empty()) {
      return error(
          fmt::format("the first line must name the columns; it holds the number {}", value),
          records.line());
    }
    --out.before;  // that line is a row
  }
  std::string_view field;
  for (bool more = true; next_field(header, out.delimiter, more, field);) {
    out.columns.push_back(unquote(field));
  }
  return out;
}

}  // namespace mase::io
