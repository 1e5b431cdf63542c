#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mase::passes {

struct Point {
  double x = 0;
  double y = 0;
};

struct Box {
  double width = 0;
  double height = 0;
};

// A drawing of a directed graph without cycles, from top to bottom.
struct Layout {
  std::vector<Point> centres;             // of the boxes
  std::vector<std::vector<Point>> edges;  // from one box's lower rim to another's upper one
  Box size;                               // of the whole drawing, with its margin
};

struct Edge {
  std::size_t from = 0;
  std::size_t to = 0;  // > from
};

Layout lay_out(std::span<const Box> boxes, std::span<const Edge> edges);

}  // namespace mase::passes
