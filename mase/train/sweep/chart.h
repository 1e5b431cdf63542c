#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Line charts of the page of a sweep: what they show, as data. The page's script draws them (and
// draws them anew for what is left when a configuration is hidden).
namespace mase::train {

struct Point {
  double x = 0;
  double y = 0;                     // one that is not finite breaks the line
  double spread = 0;                // half the length of an error bar
  std::int64_t configuration = -1;  // whose point it is, where its line belongs to none
};

struct Line {
  std::vector<Point> points;
  std::int64_t configuration = -1;  // decides the colour; -1: of several, drawn in grey
  bool bold = false;                // thick, above the others
  bool marks = false;               // dots on the points; always where a line has only one
  bool joined = true;               // else dots alone
  std::string title;                // what a pointer over it shows
};

struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Line> lines;
  bool log_x = false;  // points at zero and below are left out
  bool log_y = false;
  std::vector<double> ticks = {};  // of the x axis; empty: round numbers
  std::string scale = {};          // charts with the same name have one y axis
};

// Whether a logarithmic axis shows these values better: all positive, and 30 times apart or three
// and more in steps like those of powers (64, 128, 256; 1, 5, 10, 50).
bool wants_log(std::vector<double> values);

// Whether there is a point to show.
bool shows_something(const Chart& chart);

// As JSON that may stand inside of an HTML element "script".
std::string charts_json(const std::vector<Chart>& charts);

}  // namespace mase::train
