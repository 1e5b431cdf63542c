// Charts of a sweep: learning curves, and accuracy by each setting that is a number.
#include "mase/train/sweep/html_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "mase/train/sweep/curves.h"

namespace mase::train {
namespace {

std::string label(const ir::Dict& settings) {
  return settings.empty() ? "all runs" : settings_text(settings);
}

// The curves of one configuration.
struct ConfigurationCurves {
  std::vector<std::vector<EpochRow>> runs;
  std::vector<EpochRow> mean;  // at each epoch over the runs that came so far
};

std::vector<EpochRow> mean_of(const std::vector<std::vector<EpochRow>>& runs) {
  std::map<double, std::vector<const EpochRow*>> by_epoch;
  for (const auto& run : runs) {
    for (const EpochRow& row : run) by_epoch[row.epoch].push_back(&row);
  }
  std::vector<EpochRow> out;
  for (const auto& [epoch, rows] : by_epoch) {
    const auto mean = [&rows = rows](double EpochRow::*member) {
      double sum = 0;
      for (const EpochRow* row : rows) sum += row->*member;
      return sum / static_cast<double>(rows.size());
    };
    out.push_back({.epoch = epoch,
                   .train_loss = mean(&EpochRow::train_loss),
                   .train_acc = mean(&EpochRow::train_acc),
                   .val_loss = mean(&EpochRow::val_loss),
                   .val_acc = mean(&EpochRow::val_acc)});
  }
  return out;
}

// At most so many points, the last one always: a page of a thousand runs stays small.
std::vector<Point> points_of(const std::vector<EpochRow>& rows, double EpochRow::*member,
                             std::size_t most) {
  std::vector<Point> out;
  const std::size_t every = rows.size() / most + 1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % every != 0 && i + 1 != rows.size()) continue;
    out.push_back({.x = rows[i].epoch + 1, .y = rows[i].*member});
  }
  return out;
}

struct CurveKind {
  double EpochRow::*member;
  std::string_view title;
  std::string_view scale;
};

// Training left of validation.
constexpr std::array kCurves{
    CurveKind{&EpochRow::train_loss, "training loss", "loss"},
    CurveKind{&EpochRow::val_loss, "validation loss", "loss"},
    CurveKind{&EpochRow::train_acc, "training accuracy", "accuracy"},
    CurveKind{&EpochRow::val_acc, "validation accuracy", "accuracy"},
};

Chart curve_chart(const std::vector<Configuration>& all,
                  const std::vector<ConfigurationCurves>& curves, const CurveKind& kind,
                  std::size_t most) {
  Chart chart{.title = std::string(kind.title),
              .x_label = "epochs trained",
              .y_label = std::string(kind.title),
              .scale = std::string(kind.scale)};
  std::vector<double> ends;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (curves[i].mean.empty()) continue;
    ends.push_back(curves[i].mean.back().epoch + 1);
    const Line line{.configuration = static_cast<std::int64_t>(i), .title = label(all[i].settings)};
    const auto add = [&](const std::vector<EpochRow>& rows, bool bold) {
      chart.lines.push_back(line);
      chart.lines.back().points = points_of(rows, kind.member, most);
      chart.lines.back().bold = bold;
    };
    for (const auto& run : curves[i].runs) {
      if (curves[i].runs.size() > 1) add(run, false);
    }
    add(curves[i].mean, true);
  }
  chart.log_x = wants_log(ends);
  return chart;
}

// The place of a chart, which is appended to `charts`.
std::string figure(Chart chart, std::vector<Chart>& charts) {
  charts.push_back(std::move(chart));
  return fmt::format("<figure data-chart=\"{}\"></figure>\n", charts.size() - 1);
}

// A loss that spans decades in any chart makes all of them logarithmic: they share an axis.
void choose_loss_scale(std::vector<Chart>& charts) {
  std::vector<double> losses;
  for (const Chart& chart : charts) {
    for (const Line& line : chart.lines) {
      for (const Point& point : line.points) {
        if (chart.scale == "loss" && std::isfinite(point.y)) losses.push_back(point.y);
      }
    }
  }
  if (losses.empty()) return;
  const auto [least, greatest] = std::minmax_element(losses.begin(), losses.end());
  const bool log = *least > 0 && *greatest / *least >= 30;
  for (Chart& chart : charts) chart.log_y = log && chart.scale == "loss";
}

// --- accuracy by a setting ---

struct Variable {
  std::string name;
  std::vector<double> values;  // one per configuration
};

std::vector<Variable> numeric_variables(const std::vector<Configuration>& all) {
  std::vector<Variable> out;
  const auto add = [&](std::string name, std::vector<double> values) {
    if (std::set<double>(values.begin(), values.end()).size() > 1) {
      out.push_back({std::move(name), std::move(values)});
    }
  };
  for (std::size_t k = 0; k < all.front().settings.size(); ++k) {
    std::vector<double> values;
    for (const Configuration& configuration : all) {
      const ir::Value& value = configuration.settings[k].second;
      if (!value.is_number()) break;
      values.push_back(value.as_number());
    }
    if (values.size() == all.size()) add(all.front().settings[k].first, std::move(values));
  }
  std::vector<double> parameters;
  for (const Configuration& configuration : all) {
    parameters.push_back(static_cast<double>(configuration.parameters));
  }
  add("parameters of the network", std::move(parameters));
  return out;
}

// What else tells configurations apart; a line joins those that agree in it.
ir::Dict others(const ir::Dict& settings, const std::string& name) {
  ir::Dict out;
  for (const auto& item : settings) {
    const bool model = name.starts_with("parameters") && item.first == "model";
    if (item.first != name && !model) out.push_back(item);
  }
  return out;
}

// Dots have the colours of their configurations; a grey line joins those that differ in this
// variable alone. Where no two do, there is no chart: it would show what others bring about.
std::optional<Chart> variable_chart(const std::vector<Configuration>& all, const Variable& variable,
                                    std::string_view measured, std::string_view title) {
  std::vector<std::string> groups;
  std::vector<Line> means;
  Line dots{.marks = true, .joined = false};
  const auto row = std::find_if(kMeasured.begin(), kMeasured.end(),
                                [&](const MeasuredRow& r) { return r.name == measured; });
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto configuration = static_cast<std::int64_t>(i);
    const std::string group = label(others(all[i].settings, variable.name));
    auto found = std::find(groups.begin(), groups.end(), group);
    if (found == groups.end()) {
      found = groups.insert(groups.end(), group);
      means.push_back({.bold = true, .marks = true, .title = group});
    }
    const Spread& spread = all[i].spread(measured);
    means[static_cast<std::size_t>(found - groups.begin())].points.push_back(
        {.x = variable.values[i],
         .y = spread.mean,
         .spread = std::isfinite(spread.deviation) ? spread.deviation : 0,
         .configuration = configuration});
    if (spread.count < 2) continue;
    for (const RunOutcome* run : all[i].runs) {
      if (run->status != RunStatus::Finished) continue;
      dots.points.push_back({.x = variable.values[i],
                             .y = run->measured.*row->value,
                             .configuration = configuration});
    }
  }
  const bool joins = std::any_of(means.begin(), means.end(),
                                 [](const Line& line) { return line.points.size() > 1; });
  if (!joins) return std::nullopt;
  const std::set<double> distinct(variable.values.begin(), variable.values.end());
  Chart chart{.title = fmt::format("{} by {}", title, variable.name),
              .x_label = variable.name,
              .y_label = std::string(title),
              .log_x = wants_log(variable.values),
              .ticks = {distinct.begin(), distinct.end()}};
  for (Line& line : means) {
    std::stable_sort(line.points.begin(), line.points.end(),
                     [](const Point& a, const Point& b) { return a.x < b.x; });
  }
  chart.lines.push_back(std::move(dots));
  chart.lines.insert(chart.lines.end(), means.begin(), means.end());
  return chart;
}

}  // namespace

std::string curve_charts(const std::vector<Configuration>& all, std::vector<Chart>& charts) {
  constexpr std::size_t kPoints = 60'000;  // of all lines of a chart
  std::vector<ConfigurationCurves> curves(all.size());
  std::size_t lines = 1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const RunOutcome* run : all[i].runs) {
      std::vector<EpochRow> rows = read_curves(run->folder);
      if (rows.empty()) continue;
      curves[i].runs.push_back(std::move(rows));
      ++lines;
    }
    curves[i].mean = mean_of(curves[i].runs);
  }
  const std::size_t most = std::clamp<std::size_t>(kPoints / lines, 20, 400);
  std::string places;
  for (const CurveKind& kind : kCurves) {
    Chart chart = curve_chart(all, curves, kind, most);
    if (shows_something(chart)) places += figure(std::move(chart), charts);
  }
  if (places.empty()) return "";
  choose_loss_scale(charts);
  return "<h2>Learning curves</h2>\n<p>Thick: mean of a configuration; thin: its runs. Training "
         "and "
         "validation have one scale.</p>\n<div class=\"charts\">\n" +
         places + "</div>\n";
}

std::string setting_charts(const std::vector<Configuration>& all, std::vector<Chart>& charts) {
  const bool tested = std::any_of(all.begin(), all.end(), [](const Configuration& c) {
    return c.spread("test_acc").count > 0;
  });
  std::string places;
  for (const Variable& variable : numeric_variables(all)) {
    std::optional<Chart> chart =
        tested ? variable_chart(all, variable, "test_acc", "test accuracy")
               : variable_chart(all, variable, "best_val_acc", "validation accuracy");
    if (chart && shows_something(*chart)) places += figure(std::move(*chart), charts);
  }
  if (places.empty()) return "";
  return "<h2>Accuracy by setting</h2>\n<p>Mean with the standard deviation over the runs; small "
         "dots: the runs. A grey line joins configurations that differ in this alone.</p>\n<div "
         "class=\"charts\">\n" +
         places + "</div>\n";
}

}  // namespace mase::train
