#pragma once

#include <string>
#include <vector>

// A table in Markdown that is printed row by row, as its figures come in. On a terminal that is too
// narrow for it, it leaves columns out and says which.
namespace mase::bench {

class Table {
 public:
  struct Column {
    std::string title;
    std::size_t width = 0;  // at least the title's
    bool text = false;      // left-aligned
    int rank = 0;           // left out first: the highest; never: 0
  };
  explicit Table(std::vector<Column> columns);  // prints the header
  void row(const std::vector<std::string>& cells);
  int rows() const { return rows_; }  // printed so far

 private:
  void fit(std::size_t width);

  std::vector<Column> columns_;
  std::vector<bool> shown_;
  int rows_ = 0;
};

// 12.3 M, 840 k, 95: three significant digits; "-" for none.
std::string short_number(double value);
// Two or three significant digits of a ratio: 0.93, 5.2, 56, 140; "-" for none.
std::string short_ratio(double value);

}  // namespace mase::bench
