#include "mase/passes/analysis/plot_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/passes/analysis/graph_layout.h"
#include "tests/passes/networks.h"
#include "tests/passes/vectors.h"

namespace mase::passes {
namespace {

using testing::HasSubstr;

ir::Graph drawn() {
  ir::Graph graph = add_metadata(jsc_tiny(), {{"x", ir::Tensor({8, 16}, ir::DType::Float32)}},
                                 {.add_value = false});
  return quantize(graph, {.by = By::Type, .rules = {{"linear", numerics::integer(8, 4)}}});
}

std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t i = text.find(what); i != std::string::npos; i = text.find(what, i + 1)) ++count;
  return count;
}

TEST(PlotGraph, DrawsEveryNodeAndEdgeOnce) {
  const std::string svg = plot_svg(drawn());
  for (const ir::Node& node : drawn()) {
    EXPECT_EQ(occurrences(svg, "font-weight=\"bold\">" + node.name + "<"), 1u) << node.name;
  }
  EXPECT_EQ(occurrences(svg, "marker-end"), 5u);
  EXPECT_THAT(svg, HasSubstr(">→ 8 x 16<"));
  EXPECT_THAT(svg, HasSubstr("integer(8, 4): data_in_0, weight, bias"));
  EXPECT_THAT(svg, HasSubstr("LinearInteger("));
}

TEST(PlotGraph, WritesGraphvizText) {
  const std::string dot = plot_dot(drawn());
  EXPECT_THAT(dot, testing::StartsWith("digraph \"jsc-tiny\" {\n"));
  EXPECT_THAT(dot, HasSubstr("  \"x\" -> \"seq_blocks_0\" [label=\"8 x 16\"];\n"));
  EXPECT_EQ(occurrences(dot, " -> "), 5u);
}

TEST(PlotGraph, TheNamesEndDecidesAndOthersAreRefused) {
  const std::string folder = testing::TempDir() + "plot_graph_test/";
  Context context{.folder = folder};
  Diagnostics diagnostics;
  const auto draw = [&](const ir::Dict& given) {
    run_pass(kPlotGraph, drawn(), check_options(kPlotGraph, given, {}, diagnostics), context);
  };
  draw({});
  EXPECT_EQ(read_text(folder + "graph.svg"), plot_svg(drawn()));
  draw({{"file_name", folder + "g.dot"}});
  EXPECT_EQ(read_text(folder + "g.dot"), plot_dot(drawn()));
  EXPECT_THROW(draw({{"file_name", folder + "g.png"}}), Error);
}

TEST(PlotGraph, AnEmptyGraphIsAnEmptyDrawing) {
  EXPECT_THAT(plot_svg(ir::Graph("none", "None")), HasSubstr("width=\"40\""));
}

// A diamond with a long edge beside it, twice.
TEST(GraphLayout, BoxesNeverOverlapAndEdgesGoDown) {
  const std::vector<Box> boxes(9, {100, 40});
  const std::vector<Edge> edges{{0, 1}, {0, 2}, {1, 3}, {2, 3}, {0, 3}, {3, 4},
                                {3, 5}, {4, 6}, {5, 6}, {3, 6}, {7, 6}, {6, 8}};
  const Layout layout = lay_out(boxes, edges);
  for (std::size_t a = 0; a < boxes.size(); ++a) {
    const Point& p = layout.centres[a];
    EXPECT_GE(p.x - 50, 0);
    EXPECT_LE(p.x + 50, layout.size.width);
    EXPECT_LE(p.y + 20, layout.size.height);
    for (std::size_t b = 0; b < a; ++b) {
      const bool apart = std::abs(p.x - layout.centres[b].x) >= 100 - 1e-9 ||
                         std::abs(p.y - layout.centres[b].y) >= 40 - 1e-9;
      EXPECT_TRUE(apart) << a << " on " << b;
    }
  }
  for (const auto& points : layout.edges) {
    for (std::size_t i = 1; i < points.size(); ++i) EXPECT_GT(points[i].y, points[i - 1].y);
  }
  // The long edge 0 -> 3 goes straight past one rank; box 7, read late, stands just above its
  // reader.
  EXPECT_EQ(layout.edges[4].size(), 4u);
  EXPECT_EQ(layout.edges[4][1].x, layout.edges[4][2].x);
  EXPECT_EQ(layout.centres[7].y, layout.centres[4].y);
}

}  // namespace
}  // namespace mase::passes
