#pragma once

#include <string>
#include <string_view>
#include <vector>

// Line charts as SVG: what a page can show without any program. Colours and text are classes of
// the page that holds them (`c0`, `c1`, ... `axis`, `grid`), so that it may be dark or light.
namespace mase::train {

struct Point {
  double x = 0;
  double y = 0;
  double spread = 0;  // half the length of an error bar
};

struct Line {
  std::vector<Point> points;  // those that are not finite break the line
  int colour = 0;             // class of the colour
  bool bold = false;          // thick, above the others
  bool marks = false;         // dots on the points; always where a line has only one
  bool joined = true;         // else dots alone
  std::string title;          // what a pointer over it shows
  std::string group;          // value of data-group, for scripts
};

struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Line> lines;
  bool log_x = false;  // points at zero and below are left out
  bool log_y = false;
};

// Whether a logarithmic axis shows these values better: all positive, two decades or more apart.
bool wants_log(const std::vector<double>& values);

// Round numbers that divide a range into about `count` parts; on a logarithmic axis powers of ten,
// with 2 and 5 between where there are few.
std::vector<double> axis_ticks(double low, double high, int count, bool log);

std::string svg(const Chart& chart);  // empty if there is no point to show

}  // namespace mase::train
