// Charts of a sweep: learning curves, and accuracy by each setting that is a number.
#include "mase/train/sweep/html_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "mase/support/markup.h"
#include "mase/train/sweep/chart.h"
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
};

std::string curve_chart(const std::vector<Configuration>& all,
                        const std::vector<ConfigurationCurves>& curves, const CurveKind& kind,
                        std::size_t most) {
  Chart chart{
      .title = std::string(kind.title), .x_label = "epoch", .y_label = std::string(kind.title)};
  std::vector<double> ends;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const int colour = static_cast<int>(i);
    const std::string title = label(all[i].settings);
    if (curves[i].mean.empty()) continue;
    ends.push_back(curves[i].mean.back().epoch + 1);
    for (const auto& run : curves[i].runs) {
      if (curves[i].runs.size() < 2) break;
      chart.lines.push_back({.points = points_of(run, kind.member, most),
                             .colour = colour,
                             .title = title,
                             .group = std::to_string(i)});
    }
    chart.lines.push_back({.points = points_of(curves[i].mean, kind.member, most),
                           .colour = colour,
                           .bold = true,
                           .title = title,
                           .group = std::to_string(i)});
  }
  chart.log_x = wants_log(ends);
  const std::string picture = svg(chart);
  return picture.empty() ? "" : fmt::format("<figure>{}</figure>\n", picture);
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

std::string variable_chart(const std::vector<Configuration>& all, const Variable& variable,
                           std::string_view measured, std::string_view title) {
  std::vector<std::string> groups;
  std::vector<Line> means;
  std::vector<Line> dots;
  const auto row = std::find_if(kMeasured.begin(), kMeasured.end(),
                                [&](const MeasuredRow& r) { return r.name == measured; });
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string group = label(others(all[i].settings, variable.name));
    auto found = std::find(groups.begin(), groups.end(), group);
    if (found == groups.end()) {
      found = groups.insert(groups.end(), group);
      const int colour = static_cast<int>(means.size());
      means.push_back({.colour = colour, .bold = true, .marks = true, .title = group});
      dots.push_back({.colour = colour, .marks = true, .joined = false, .title = group});
    }
    const auto at = static_cast<std::size_t>(found - groups.begin());
    const Spread& spread = all[i].spread(measured);
    means[at].points.push_back({.x = variable.values[i],
                                .y = spread.mean,
                                .spread = std::isfinite(spread.deviation) ? spread.deviation : 0});
    if (spread.count < 2) continue;
    for (const RunOutcome* run : all[i].runs) {
      if (run->status != RunStatus::Finished) continue;
      dots[at].points.push_back({.x = variable.values[i], .y = run->measured.*row->value});
    }
  }
  // Where no two configurations differ in this alone, it would show what others bring about.
  const bool joins = std::any_of(means.begin(), means.end(),
                                 [](const Line& line) { return line.points.size() > 1; });
  if (!joins) return "";
  Chart chart{.title = fmt::format("{} by {}", title, variable.name),
              .x_label = variable.name,
              .y_label = std::string(title),
              .log_x = wants_log(variable.values)};
  for (Line& line : means) {
    std::stable_sort(line.points.begin(), line.points.end(),
                     [](const Point& a, const Point& b) { return a.x < b.x; });
  }
  chart.lines = std::move(dots);
  chart.lines.insert(chart.lines.end(), means.begin(), means.end());
  const std::string picture = svg(chart);
  if (picture.empty()) return "";
  std::string legend;
  for (std::size_t i = 0; i < groups.size() && groups.size() > 1; ++i) {
    legend +=
        fmt::format("<span class=\"still c{}\"><i></i>{}</span>\n", i, markup_text(groups[i]));
  }
  return fmt::format("<figure>{}<div class=\"legend\">{}</div></figure>\n", picture, legend);
}

}  // namespace

std::string curve_charts(const std::vector<Configuration>& all) {
  constexpr std::size_t kPoints = 60'000;  // of all lines of a chart
  std::vector<ConfigurationCurves> curves(all.size());
  std::size_t lines = 1;
  bool validated = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const RunOutcome* run : all[i].runs) {
      std::vector<EpochRow> rows = read_curves(run->folder);
      if (rows.empty()) continue;
      validated = validated || std::isfinite(rows.back().val_loss);
      curves[i].runs.push_back(std::move(rows));
      ++lines;
    }
    curves[i].mean = mean_of(curves[i].runs);
  }
  const std::vector<CurveKind> kinds =
      validated ? std::vector<CurveKind>{{&EpochRow::val_loss, "validation loss"},
                                         {&EpochRow::val_acc, "validation accuracy"}}
                : std::vector<CurveKind>{{&EpochRow::train_loss, "training loss"},
                                         {&EpochRow::train_acc, "training accuracy"}};
  std::string charts;
  const std::size_t most = std::clamp<std::size_t>(kPoints / lines, 20, 400);
  for (const CurveKind& kind : kinds) charts += curve_chart(all, curves, kind, most);
  if (charts.empty()) return "";
  std::string legend;
  for (std::size_t i = 0; i < all.size(); ++i) {
    legend += fmt::format("<span class=\"c{}\" data-group=\"{}\"><i></i>{}</span>\n", i, i,
                          markup_text(label(all[i].settings)));
  }
  return fmt::format(
      "<h2>Learning curves</h2>\n<p>Thick: mean of a configuration; thin: its runs. A name hides "
      "and shows its lines.</p>\n<div class=\"charts\">\n{}</div>\n<div "
      "class=\"legend\">{}</div>\n",
      charts, legend);
}

std::string setting_charts(const std::vector<Configuration>& all) {
  const bool tested = std::any_of(all.begin(), all.end(), [](const Configuration& c) {
    return c.spread("test_acc").count > 0;
  });
  std::string charts;
  for (const Variable& variable : numeric_variables(all)) {
    charts += tested ? variable_chart(all, variable, "test_acc", "test accuracy")
                     : variable_chart(all, variable, "best_val_acc", "validation accuracy");
  }
  if (charts.empty()) return "";
  return "<h2>Accuracy by setting</h2>\n<p>Mean with the standard deviation over the runs; small "
         "dots: the runs.</p>\n<div class=\"charts\">\n" +
         charts + "</div>\n";
}

}  // namespace mase::train
