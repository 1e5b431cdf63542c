// Text tables in the layout of Python's `tabulate`: the type of a column is the most general type
// of its cells, numbers are aligned at their decimal point, headers as their column.
#include "mase/support/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>

#include "mase/support/printable.h"
#include "mase/support/terminal.h"
#include "mase/support/wrap.h"

namespace mase {
namespace {

// In the order of generality.
enum class CellType { Missing, Bool, Int, Float, Text };
using Lines = std::vector<std::string>;

struct Layout {
  std::string_view above, below_header, between, below;  // begin, fill, separator, end; "" = none
  std::string_view begin, separator, end;                // of a row of cells
  std::size_t padding;
  std::size_t header_room;  // a column is at least this much wider than its header
};

const Layout& layout_of(TableStyle style) {
  static constexpr Layout kSimple{"", " - ", "", "", "", "  ", "", 0, 2};
  static constexpr Layout kOrgtbl{"", "|-+|", "", "", "|", "|", "|", 1, 2};
  static constexpr Layout kGrid{"+-++", "+=++", "+-++", "+-++", "|", "|", "|", 1, 2};
  static constexpr Layout kMarkdown{"", "|:||", "", "", "|", "|", "|", 1, 2};
  static constexpr Layout kPretty{"+-++", "+-++", "", "+-++", "|", "|", "|", 1, 0};
  switch (style) {
    case TableStyle::Simple:
      return kSimple;
    case TableStyle::Orgtbl:
      return kOrgtbl;
    case TableStyle::Grid:
      return kGrid;
    case TableStyle::Markdown:
      return kMarkdown;
    case TableStyle::Pretty:
      return kPretty;
  }
  return kSimple;
}

std::string_view stripped(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_integer(std::string_view text) {
  text = stripped(text);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

// A finite number, inf or nan; numbers that overflow stay text.
bool is_number(std::string_view text, double* out = nullptr) {
  text = stripped(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  if (out != nullptr) *out = value;
  return true;
}

CellType type_of(const Cell& cell, bool text_as_given) {
  switch (cell.index()) {
    case 0:
      return CellType::Missing;
    case 1:
      return CellType::Bool;
    case 2:
      return CellType::Int;
    case 3:
      return CellType::Float;
    default:
      break;
  }
  const std::string text = without_ansi(std::get<std::string>(cell));
  if (text.empty()) return CellType::Missing;
  if (text_as_given) return CellType::Text;
  if (text == "True" || text == "False") return CellType::Bool;
  if (is_integer(text)) return CellType::Int;
  return is_number(text) ? CellType::Float : CellType::Text;
}

Cell shown(const Cell& cell, bool painted) {
  const auto* text = std::get_if<std::string>(&cell);
  return text && !painted ? Cell(printable(*text)) : cell;
}

std::string general(double value, int digits) {
  return fmt::format("{:.{}g}", value, digits);
}

std::string shortest(double value) {
  std::string text = fmt::format("{}", value);
  const bool whole = text.find_first_not_of("-0123456789") == std::string::npos;
  return whole ? text + ".0" : text;
}

std::string format_cell(const Cell& cell, CellType column, const TableOptions& options) {
  struct Visitor {
    CellType column;
    int digits;
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(bool v) const { return v ? "True" : "False"; }
    std::string operator()(std::int64_t v) const {
      return column == CellType::Float ? general(static_cast<double>(v), digits)
                                       : fmt::format("{}", v);
    }
    std::string operator()(double v) const {
      return column == CellType::Float ? general(v, digits) : shortest(v);
    }
    std::string operator()(const std::string& v) const {
      double value = 0;
      const std::string plain = without_ansi(v);
      if (column != CellType::Float || !is_number(plain, &value)) return v;
      std::string out = v;
      return out.replace(out.find(plain), plain.size(), general(value, digits));
    }
  };
  return std::visit(Visitor{column, options.significant_digits}, cell);
}

Lines lines_of(std::string_view text) {
  Lines lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::size_t width_of(const Lines& lines) {
  std::size_t width = 0;
  for (const std::string& line : lines) width = std::max(width, visible_width(line));
  return width;
}

std::string padded(const std::string& line, std::size_t width, Align align) {
  const std::size_t used = visible_width(line);
  const std::size_t room = width > used ? width - used : 0;
  std::size_t left = 0;
  if (align == Align::Right) left = room;
  if (align == Align::Centre) left = room / 2;
  return std::string(left, ' ') + line + std::string(room - left, ' ');
}

// Characters after the decimal point (or the exponent's e); -1 for integers and text.
int decimals(const std::string& cell) {
  const std::string text = without_ansi(cell);
  if (is_integer(text) || !is_number(text)) return -1;
  std::size_t at = text.rfind('.');
  if (at == std::string::npos) at = text.find_last_of("eE");
  return at == std::string::npos ? -1 : static_cast<int>(text.size() - at - 1);
}

// Blanks behind the cells bring their decimal points to one place.
void align_decimals(std::vector<std::string>& cells) {
  int most = -1;
  for (const std::string& cell : cells) most = std::max(most, decimals(cell));
  for (std::string& cell : cells) {
    cell += std::string(static_cast<std::size_t>(most - decimals(cell)), ' ');
  }
}

// On one line, and no bar that would end the cell.
std::string for_markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "<br>";
    } else {
      out += c == '|' ? std::string("\\|") : std::string(1, c);
    }
  }
  return out;
}

// One column, ready to print: header and cells as padded lines of equal width.
struct Column {
  std::size_t width = 0;
  Align align = Align::Left;
  Lines header;
  std::vector<Lines> cells;
};

Column make_column(const std::string& header, const std::vector<Cell>& cells, Align align,
                   const TableOptions& options) {
  const bool pretty = options.style == TableStyle::Pretty;
  CellType type = CellType::Bool;
  for (const Cell& cell : cells) type = std::max(type, type_of(cell, options.text_as_given));
  // The style Pretty does not look for numbers: values print as they are.
  if (pretty) type = CellType::Text;
  const bool numeric = type == CellType::Int || type == CellType::Float;

  std::vector<std::string> texts;
  for (const Cell& cell : cells) {
    std::string text = format_cell(cell, type, options);
    if (options.max_width > 0 && !numeric) {
      text = fmt::format("{}", fmt::join(wrap_text(text, options.max_width), "\n"));
    }
    texts.emplace_back(stripped(text));
    if (options.style == TableStyle::Markdown) texts.back() = for_markdown(texts.back());
  }
  if (align == Align::Natural && numeric) align_decimals(texts);
  if (align == Align::Natural) {
    align = pretty ? Align::Centre : numeric ? Align::Right : Align::Left;
  }

  Column column;
  column.align = align;
  column.header = options.max_width > 0 ? wrap_text(header, options.max_width) : lines_of(header);
  column.width = width_of(column.header) + layout_of(options.style).header_room;
  for (const std::string& text : texts) {
    column.cells.push_back(lines_of(text));
    column.width = std::max(column.width, width_of(column.cells.back()));
  }
  for (std::string& line : column.header) line = padded(line, column.width, align);
  for (Lines& cell : column.cells) {
    for (std::string& line : cell) line = padded(line, column.width, align);
  }
  return column;
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

void append_rule(Lines& out, const std::vector<Column>& columns, std::string_view rule,
                 const Layout& layout) {
  if (rule.empty()) return;
  if (rule == " - ") {  // the style Simple has gaps instead of corners
    Lines dashes;
    for (const Column& column : columns) dashes.emplace_back(column.width, '-');
    out.push_back(fmt::format("{}", fmt::join(dashes, layout.separator)));
    return;
  }
  Lines fills;
  for (const Column& column : columns) {
    std::string fill(column.width + 2 * layout.padding, rule[1] == ':' ? '-' : rule[1]);
    if (rule[1] == ':' && column.align != Align::Right) fill.front() = ':';
    if (rule[1] == ':' && column.align != Align::Left) fill.back() = ':';
    fills.push_back(std::move(fill));
  }
  out.push_back(fmt::format("{}{}{}", rule[0], fmt::join(fills, rule.substr(2, 1)), rule[3]));
}

void append_row(Lines& out, const std::vector<Column>& columns, const Layout& layout,
                const Lines& (*cell_of)(const Column&, std::size_t), std::size_t row) {
  std::size_t height = 1;
  for (const Column& column : columns) height = std::max(height, cell_of(column, row).size());
  const std::string padding(layout.padding, ' ');
  for (std::size_t i = 0; i < height; ++i) {
    Lines cells;
    for (const Column& column : columns) {
      const Lines& lines = cell_of(column, row);
      const std::string& text = i < lines.size() ? lines[i] : std::string(column.width, ' ');
      cells.push_back(fmt::format("{}{}{}", padding, text, padding));
    }
    out.push_back(without_trailing_blanks(
        fmt::format("{}{}{}", layout.begin, fmt::join(cells, layout.separator), layout.end)));
  }
}

}  // namespace

std::string format_table(const std::vector<std::string>& headers,
                         const std::vector<std::vector<Cell>>& rows, const TableOptions& options) {
  std::vector<Column> columns;
  columns.reserve(headers.size());
  for (std::size_t c = 0; c < headers.size(); ++c) {
    std::vector<Cell> cells;
    cells.reserve(rows.size());
    for (const auto& row : rows) {
      cells.push_back(c < row.size() ? shown(row[c], options.painted) : Cell{});
    }
    const Align align = c < options.align.size() ? options.align[c] : Align::Natural;
    columns.push_back(make_column(printable(headers[c]), cells, align, options));
  }
  const Layout& layout = layout_of(options.style);
  Lines out;
  append_rule(out, columns, layout.above, layout);
  append_row(
      out, columns, layout, [](const Column& c, std::size_t) -> const Lines& { return c.header; },
      0);
  append_rule(out, columns, layout.below_header, layout);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (r > 0) append_rule(out, columns, layout.between, layout);
    append_row(
        out, columns, layout,
        [](const Column& c, std::size_t i) -> const Lines& { return c.cells[i]; }, r);
  }
  append_rule(out, columns, layout.below, layout);
  return fmt::format("{}", fmt::join(out, "\n"));
}

}  // namespace mase
