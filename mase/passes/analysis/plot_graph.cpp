// plot_graph: the graph as a picture (SVG, drawn here) or as Graphviz text.
#include "mase/passes/analysis/plot_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "mase/ops/op.h"
#include "mase/passes/analysis/graph_layout.h"
#include "mase/support/files.h"
#include "mase/support/markup.h"
#include "mase/support/terminal.h"
#include "mase/support/wrap.h"

namespace mase::passes {
namespace {

constexpr double kCharacter = 7.3;  // width of one at the size used
constexpr double kLine = 16;
constexpr double kPadding = 10;
constexpr std::size_t kWrap = 38;

struct Colours {
  std::string_view fill;
  std::string_view rim;
};

Colours colours_of(const ir::Node& node) {
  if (node.is_quantised()) return {"#fde7c7", "#c77700"};
  switch (node.kind) {
    case ir::NodeKind::Placeholder:
    case ir::NodeKind::Output:
      return {"#e3f1e3", "#3b7f3b"};
    case ir::NodeKind::GetAttr:
      return {"#eeeeee", "#777777"};
    case ir::NodeKind::CallModule:
      return {"#e1ecf8", "#2f6db3"};
    case ir::NodeKind::CallFunction:
    case ir::NodeKind::CallMethod:
      return {"#efe6f7", "#7a4fa3"};
  }
  return {"#ffffff", "#000000"};
}

// Formats of a node, arguments of the same format together: "integer(8, 4): data_in_0, weight".
std::vector<std::string> format_lines(const ir::Node& node) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const auto& [argument, configured] : node.precision) {
    const numerics::Precision* precision = node.precision_of(argument);
    if (!precision) continue;
    const std::string text = precision->text();
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == text; });
    if (group == groups.end()) group = groups.insert(groups.end(), {text, {}});
    group->second.push_back(argument);
  }
  std::vector<std::string> lines;
  for (const auto& [format, arguments] : groups) {
    lines.push_back(fmt::format("{}: {}", format, fmt::join(arguments, ", ")));
  }
  return lines;
}

std::string description_of(const ir::Node& node) {
  switch (node.kind) {
    case ir::NodeKind::CallModule:
      return ops::print_layer(node);
    case ir::NodeKind::CallMethod:
      return "method " + node.target;
    case ir::NodeKind::CallFunction:
    case ir::NodeKind::GetAttr:
      return node.target;
    case ir::NodeKind::Placeholder:
    case ir::NodeKind::Output:
      break;
  }
  return std::string(ir::name(node.kind));
}

// What stands under a node's name.
std::vector<std::string> lines_of(const ir::Node& node) {
  const std::string what = description_of(node);
  if (what == node.name) return format_lines(node);
  std::vector<std::string> lines = wrap_text(what, kWrap);
  for (const std::string& format : format_lines(node)) {
    for (std::string& line : wrap_text(format, kWrap)) lines.push_back(std::move(line));
  }
  return lines;
}

// The shape of what a node gives: "8 x 16"; "" if it is not known or no tensor.
std::string shape_of(const ir::Node& node) {
  if (!node.meta.common || node.meta.common->results.empty()) return "";
  const ir::ArgumentMeta& result = node.meta.common->results[0].second;
  if (result.kind != ir::ArgumentMeta::Kind::Data) return "";
  return fmt::format("{}", fmt::join(result.shape, " x "));
}

std::vector<Edge> edges_of(const ir::Graph& graph) {
  std::vector<Edge> edges;
  for (std::size_t to = 0; to < graph.nodes().size(); ++to) {
    for (const std::string& input : graph.nodes()[to].inputs()) {
      edges.push_back({graph.index_of(input), to});
    }
  }
  return edges;
}

std::string escaped_dot(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Box box_of(const ir::Node& node, const std::vector<std::string>& lines) {
  // Names are bold, which is a little wider.
  double width = static_cast<double>(node.name.size()) * kCharacter * 1.08;
  for (const std::string& line : lines) {
    width = std::max(width, static_cast<double>(visible_width(line)) * kCharacter);
  }
  return {width + 2 * kPadding, static_cast<double>(lines.size() + 1) * kLine + kPadding};
}

std::string svg_box(const ir::Node& node, const std::vector<std::string>& lines, const Box& box,
                    const Point& centre) {
  const Colours colours = colours_of(node);
  const double top = centre.y - box.height / 2;
  std::string out = fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"6\" fill=\"{}\" "
      "stroke=\"{}\"/>\n",
      centre.x - box.width / 2, top, box.width, box.height, colours.fill, colours.rim);
  double y = top + kPadding / 2 + 12;
  out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-weight=\"bold\">{}</text>\n", centre.x,
                     y, markup_text(node.name));
  for (const std::string& line : lines) {
    y += kLine;
    out +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", centre.x, y, markup_text(line));
  }
  return out;
}

std::string svg_edge(const std::vector<Point>& points) {
  std::string path = fmt::format("M{:.1f},{:.1f}", points[0].x, points[0].y);
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const double middle = (points[i].y + points[i + 1].y) / 2;
    path += fmt::format(" C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}", points[i].x, middle,
                        points[i + 1].x, middle, points[i + 1].x, points[i + 1].y);
  }
  return fmt::format(
      "<path d=\"{}\" fill=\"none\" stroke=\"#555555\" marker-end=\"url(#arrow)\"/>\n", path);
}

PassResult run_plot_graph(const ir::Graph& graph, const Options& options, Context& context) {
  std::filesystem::path file = context.folder / "graph.svg";
  if (const ir::Value* given = options.find("file_name")) file = given->as_text();
  const bool dot = file.extension() == ".dot" || file.extension() == ".gv";
  if (!dot && file.extension() != ".svg") {
    usage_error(fmt::format("cannot draw into '{}'", file.string()), options.where("file_name"),
                "end the name in .svg, .dot or .gv");
  }
  write_file(file, dot ? plot_dot(graph) : plot_svg(graph));
  context.log_info(fmt::format("Graph is drawn in {}", file.string()));
  return {.graph = graph, .info = ir::Dict{{"file", file.string()}}};
}

}  // namespace

std::string plot_svg(const ir::Graph& graph) {
  std::vector<std::vector<std::string>> lines;
  std::vector<Box> boxes;
  for (const ir::Node& node : graph) {
    lines.push_back(lines_of(node));
    const std::string shape = shape_of(node);
    if (!shape.empty() && node.kind != ir::NodeKind::Output) lines.back().push_back("→ " + shape);
    boxes.push_back(box_of(node, lines.back()));
  }
  const std::vector<Edge> edges = edges_of(graph);
  const Layout layout = lay_out(boxes, edges);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"DejaVu Sans Mono, monospace\" "
      "font-size=\"12\" "
      "text-anchor=\"middle\">\n"
      "<title>{2}</title>\n"
      "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" "
      "markerHeight=\"8\" orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#555555\"/>"
      "</marker></defs>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      layout.size.width, layout.size.height, markup_text(graph.name));
  for (const auto& points : layout.edges) out += svg_edge(points);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    out += svg_box(graph.nodes()[i], lines[i], boxes[i], layout.centres[i]);
  }
  return out + "</svg>\n";
}

std::string plot_dot(const ir::Graph& graph) {
  std::string out = fmt::format(
      "digraph \"{}\" {{\n"
      "  node [shape=box, style=\"rounded,filled\", fontname=\"monospace\", fontsize=11];\n"
      "  edge [fontname=\"monospace\", fontsize=10];\n",
      escaped_dot(graph.name));
  for (const ir::Node& node : graph) {
    const Colours colours = colours_of(node);
    std::string label = escaped_dot(node.name);
    for (const std::string& line : lines_of(node)) label += "\\n" + escaped_dot(line);
    out += fmt::format("  \"{}\" [label=\"{}\", fillcolor=\"{}\", color=\"{}\"];\n",
                       escaped_dot(node.name), label, colours.fill, colours.rim);
  }
  for (const Edge& edge : edges_of(graph)) {
    const ir::Node& from = graph.nodes()[edge.from];
    out += fmt::format("  \"{}\" -> \"{}\" [label=\"{}\"];\n", escaped_dot(from.name),
                       escaped_dot(graph.nodes()[edge.to].name), shape_of(from));
  }
  return out + "}\n";
}

const Pass kPlotGraph{
    .name = "plot_graph",
    .kind = PassKind::Analysis,
    .summary = "draw the graph with shapes and number formats (SVG or Graphviz)",
    .options = {{.name = "file_name",
                 .type = FieldType::Path,
                 .standard = kOpen,
                 .help = "ends in .svg, .dot or .gv; graph.svg in the output folder if not given",
                 .example = "\"graph.svg\""}},
    .run = run_plot_graph,
};

}  // namespace mase::passes
