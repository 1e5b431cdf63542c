#pragma once

#include <string>
#include <vector>

// A table in Markdown that is printed row by row, as its figures come in.
namespace mase::bench {

class Table {
 public:
  struct Column {
    std::string title;
    std::size_t width = 0;  // at least the title's
    bool text = false;      // left-aligned
  };
  explicit Table(std::vector<Column> columns);  // prints the header
  void row(const std::vector<std::string>& cells) const;

 private:
  std::vector<Column> columns_;
};

// 12.3 M, 840 k, 95: three significant digits.
std::string short_number(double value);
// Two or three significant digits of a ratio: 0.93, 5.2, 56, 140.
std::string short_ratio(double value);

}  // namespace mase::bench
