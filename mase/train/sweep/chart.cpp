// Charts as JSON: points are short lists of numbers, rounded to what a screen can show.
#include "mase/train/sweep/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "mase/ir/value.h"

namespace mase::train {
namespace {

using nlohmann::ordered_json;

bool visible(const Chart& chart, const Point& point) {
  if (!std::isfinite(point.x) || !std::isfinite(point.y)) return false;
  return (!chart.log_x || point.x > 0) && (!chart.log_y || point.y > 0);
}

// Six digits are more than a pixel; NaN becomes null.
ordered_json number(double value) {
  if (!std::isfinite(value)) return {};
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

// [x, y], [x, y, spread] or [x, y, spread, configuration].
ordered_json to_json(const Point& point) {
  ordered_json out{number(point.x), number(point.y)};
  if (point.spread > 0 || point.configuration >= 0) out.push_back(number(point.spread));
  if (point.configuration >= 0) out.push_back(point.configuration);
  return out;
}

ordered_json to_json(const Line& line) {
  ordered_json points = ordered_json::array();
  for (const Point& point : line.points) points.push_back(to_json(point));
  return {{"configuration", line.configuration},
          {"bold", line.bold},
          {"marks", line.marks},
          {"joined", line.joined},
          {"title", line.title},
          {"points", std::move(points)}};
}

ordered_json to_json(const Chart& chart) {
  ordered_json lines = ordered_json::array();
  for (const Line& line : chart.lines) lines.push_back(to_json(line));
  return {{"title", chart.title}, {"x", chart.x_label},       {"y", chart.y_label},
          {"logX", chart.log_x},  {"logY", chart.log_y},      {"ticks", chart.ticks},
          {"scale", chart.scale}, {"lines", std::move(lines)}};
}

}  // namespace

bool wants_log(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.empty() || !(values.front() > 0)) return false;
  if (values.back() / values.front() >= 30) return true;
  if (values.size() < 3 || values.back() / values.front() < 4) return false;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] / values[i - 1] < 1.5) return false;
  }
  return true;
}

bool shows_something(const Chart& chart) {
  return std::any_of(chart.lines.begin(), chart.lines.end(), [&](const Line& line) {
    return std::any_of(line.points.begin(), line.points.end(),
                       [&](const Point& point) { return visible(chart, point); });
  });
}

std::string charts_json(const std::vector<Chart>& charts) {
  ordered_json out = ordered_json::array();
  for (const Chart& chart : charts) out.push_back(to_json(chart));
  const std::string text = ir::json_text(out);
  std::string safe;
  for (const char c : text) safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return safe;
}

}  // namespace mase::train
