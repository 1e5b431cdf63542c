#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace mase {

// A cell: missing, or a value. Text that reads as a number or as True/False counts as one when the
// type of its column is decided (unless `text_as_given`).
using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

enum class TableStyle {
  Simple,    // a line of dashes under the header, columns two blanks apart
  Orgtbl,    // | a   |   b |
             // |-----+-----|
  Grid,      // +---+ between all rows, +===+ under the header, cells of several lines
  Markdown,  // | a   | b   |   cells that hold a | have it escaped
             // |:----|----:|  colons on the side a column is aligned to
  Pretty,    // +---+ above, under the header and below; everything centred
};

// Natural: numbers right-aligned (floats at the decimal point), anything else left; in the style
// Pretty everything centred.
enum class Align { Natural, Left, Right, Centre };

struct TableOptions {
  TableStyle style = TableStyle::Simple;
  std::vector<Align> align = {};  // per column; those missing are Natural
  // Cells and headers longer than this are wrapped: at blanks, after hyphens between letters, and
  // inside of words that are longer by themselves. 0 = never.
  std::size_t max_width = 0;
  int significant_digits = 6;  // of columns of floats
  bool text_as_given = false;  // text that reads as a number stays text: 640.0 stays 640.0
  bool painted = false;        // cells hold colours of ours: their text is printable already
};

// The text of a table, lines joined by '\n', none at the end. Rows may be shorter than the header.
// Texts are made printable (support/printable.h). Colours inside `painted` cells take no room.
// Layout: that of Python's `tabulate` library, which users of MASE know.
std::string format_table(const std::vector<std::string>& headers,
                         const std::vector<std::vector<Cell>>& rows,
                         const TableOptions& options = {});

}  // namespace mase
