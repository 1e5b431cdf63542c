// SVG by hand: a frame, ticks at round numbers, polylines.
#include "mase/train/sweep/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "mase/support/markup.h"

namespace mase::train {
namespace {

// Of the whole picture and of the margins around the plot, in pixels.
constexpr double kWidth = 620;
constexpr double kHeight = 360;
constexpr double kLeft = 64;
constexpr double kRight = 14;
constexpr double kTop = 34;
constexpr double kBottom = 50;

struct Axis {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double from = 0;  // pixels
  double to = 0;
  bool log = false;

  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Room around the values, so that none lies on the frame.
  void widen() {
    if (log) {
      const double factor = low == high ? 2 : std::pow(high / low, 0.04);
      low /= factor;
      high *= factor;
      return;
    }
    const double margin = low == high ? std::max(std::abs(low) * 0.1, 0.05) : (high - low) * 0.04;
    low -= margin;
    high += margin;
  }
  double at(double value) const {
    const double share =
        log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + share * (to - from);
  }
};

bool visible(const Chart& chart, const Point& point) {
  if (!std::isfinite(point.x) || !std::isfinite(point.y)) return false;
  return (!chart.log_x || point.x > 0) && (!chart.log_y || point.y > 0);
}

std::string tick_text(double value) {
  std::string text = fmt::format("{:.4g}", value == 0 ? 0.0 : value);
  // "1e-05" as people write it.
  const std::size_t e = text.find('e');
  if (e != std::string::npos && text.size() > e + 3 && text[e + 2] == '0') text.erase(e + 2, 1);
  return text;
}

void append_axes(std::string& out, const Chart& chart, const Axis& x, const Axis& y) {
  const auto to = std::back_inserter(out);
  for (const double value : axis_ticks(x.low, x.high, 8, x.log)) {
    const double at = x.at(value);
    fmt::format_to(to, "<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\"/>",
                   at, kTop, kHeight - kBottom);
    fmt::format_to(to, "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", at,
                   kHeight - kBottom + 17, tick_text(value));
  }
  for (const double value : axis_ticks(y.low, y.high, 6, y.log)) {
    const double at = y.at(value);
    fmt::format_to(to, "<line class=\"grid\" x1=\"{1}\" y1=\"{0:.1f}\" x2=\"{2}\" y2=\"{0:.1f}\"/>",
                   at, kLeft, kWidth - kRight);
    fmt::format_to(to, "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 7,
                   at + 4, tick_text(value));
  }
  fmt::format_to(to, "<rect class=\"axis\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", kLeft,
                 kTop, kWidth - kLeft - kRight, kHeight - kTop - kBottom);
  fmt::format_to(to, "<text class=\"title\" x=\"{}\" y=\"20\">{}</text>\n", kLeft,
                 markup_text(chart.title));
  fmt::format_to(to, "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                 (kLeft + kWidth - kRight) / 2, kHeight - 10,
                 markup_text(chart.x_label + (chart.log_x ? " (logarithmic)" : "")));
  fmt::format_to(to,
                 "<text transform=\"translate(14,{:.1f}) rotate(-90)\" "
                 "text-anchor=\"middle\">{}</text>\n",
                 (kTop + kHeight - kBottom) / 2,
                 markup_text(chart.y_label + (chart.log_y ? " (logarithmic)" : "")));
}

void append_line(std::string& out, const Chart& chart, const Line& line, const Axis& x,
                 const Axis& y) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "<g class=\"c{}{}\" data-group=\"{}\">", line.colour, line.bold ? " bold" : "",
                 markup_text(line.group));
  if (!line.title.empty()) fmt::format_to(to, "<title>{}</title>", markup_text(line.title));
  std::string path;
  bool pen_down = false;
  for (const Point& point : line.points) {
    if (!visible(chart, point)) {
      pen_down = false;
      continue;
    }
    fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", pen_down ? "L" : "M", x.at(point.x),
                   y.at(point.y));
    pen_down = true;
  }
  if (line.joined && line.points.size() > 1) fmt::format_to(to, "<path d=\"{}\"/>", path);
  for (const Point& point : line.points) {
    if (!visible(chart, point)) continue;
    const double px = x.at(point.x);
    if (point.spread > 0 && (!chart.log_y || point.y > point.spread)) {
      fmt::format_to(to, "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\"/>", px, y.at(point.y - point.spread),
                     y.at(point.y + point.spread));
    }
    if (!line.marks && line.points.size() > 1) continue;
    fmt::format_to(to, "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>", px, y.at(point.y),
                   line.bold ? 4 : 2.5);
  }
  out += "</g>\n";
}

}  // namespace

bool wants_log(const std::vector<double>& values) {
  if (values.empty()) return false;
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  return *least > 0 && *greatest / *least >= 30;
}

std::vector<double> axis_ticks(double low, double high, int count, bool log) {
  std::vector<double> ticks;
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high)) return ticks;
  if (log) {
    const double decades = std::log10(high / low);
    const std::vector<double> steps =
        decades >= 3 ? std::vector<double>{1} : std::vector<double>{1, 2, 5};
    const int every = std::max(1, static_cast<int>(decades / count));
    const int first = static_cast<int>(std::floor(std::log10(low)));
    for (int power = first; power <= std::ceil(std::log10(high)); power += every) {
      for (const double step : steps) {
        const double value = step * std::pow(10.0, power);
        if (value >= low && value <= high) ticks.push_back(value);
      }
    }
    return ticks;
  }
  const double rough = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double candidate : {1.0, 2.0, 5.0}) {
    if (candidate * power >= rough) {
      step = candidate * power;
      break;
    }
  }
  for (double i = std::ceil(low / step); i * step <= high; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string svg(const Chart& chart) {
  Axis x{.from = kLeft, .to = kWidth - kRight, .log = chart.log_x};
  Axis y{.from = kHeight - kBottom, .to = kTop, .log = chart.log_y};
  bool any = false;
  for (const Line& line : chart.lines) {
    for (const Point& point : line.points) {
      if (!visible(chart, point)) continue;
      any = true;
      x.include(point.x);
      const double below = point.y - point.spread;
      y.include(!chart.log_y || below > 0 ? below : point.y);
      y.include(point.y + point.spread);
    }
  }
  if (!any) return "";
  x.widen();
  y.widen();
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
                                kWidth, kHeight, markup_text(chart.title));
  append_axes(out, chart, x, y);
  for (const bool bold : {false, true}) {
    for (const Line& line : chart.lines) {
      if (line.bold == bold) append_line(out, chart, line, x, y);
    }
  }
  return out + "</svg>\n";
}

}  // namespace mase::train
