// The page of a sweep: charts, a table of the configurations, a table of the runs.
#include <fmt/format.h>

#include <cmath>

#include "mase/support/markup.h"
#include "mase/train/sweep/chart.h"
#include "mase/train/sweep/html_charts.h"
#include "mase/train/sweep/page.h"
#include "mase/train/sweep/report.h"

namespace mase::train {
namespace {

std::string number_cell(double value, std::string_view format = "{:.4f}") {
  if (!std::isfinite(value)) return "<td data-value=\"\">-</td>";
  return fmt::format("<td data-value=\"{}\">{}</td>", value,
                     fmt::format(fmt::runtime(format), value));
}

std::string spread_cell(const Spread& spread) {
  if (spread.count < 2) return number_cell(spread.mean);
  return fmt::format("<td data-value=\"{}\">{:.4f} ± {:.4f}<small>{:.4f}..{:.4f}</small></td>",
                     spread.mean, spread.mean, spread.deviation, spread.least, spread.greatest);
}

std::string head(const std::vector<std::string>& names) {
  std::string out = "<div class=\"wide\"><table class=\"sortable\">\n<thead><tr>";
  for (const std::string& name : names) out += fmt::format("<th>{}</th>", markup_text(name));
  return out + "</tr></thead>\n<tbody>\n";
}

std::string configurations_table(const std::vector<Configuration>& all, std::string_view rank_by) {
  std::vector<std::string> names;
  for (const auto& [name, value] : all.front().settings) names.push_back(name);
  names.insert(names.end(), {"params", "runs", "failed"});
  for (const MeasuredRow& row : kMeasured) {
    if (!row.title.empty()) names.emplace_back(row.title);
  }
  names.emplace_back("s/run");
  std::string out = fmt::format(
      "<h2>Configurations</h2>\n<p>Mean ± standard deviation, least..greatest over the runs. "
      "Marked: the best mean {}. A click on a heading sorts.</p>\n{}",
      markup_text(rank_by), head(names));
  for (const Configuration& configuration : all) {
    out += configuration.best ? "<tr class=\"best\">" : "<tr>";
    for (const auto& [name, value] : configuration.settings) {
      out += fmt::format("<td>{}</td>", markup_text(value_text(value)));
    }
    out += fmt::format("<td>{}</td><td>{}</td><td{}>{}</td>", configuration.parameters,
                       configuration.finished, configuration.failed > 0 ? " class=\"failed\"" : "",
                       configuration.failed);
    for (std::size_t i = 0; i < kMeasured.size(); ++i) {
      if (!kMeasured[i].title.empty()) out += spread_cell(configuration.measured[i]);
    }
    out += number_cell(configuration.finished > 0 ? configuration.seconds : kNotMeasured, "{:.2f}");
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string runs_table(const SweepResult& result) {
  std::vector<std::string> names;
  for (const auto& [name, value] : result.runs.front().settings) names.push_back(name);
  names.insert(names.end(), {"status", "epochs", "steps", "s"});
  for (const MeasuredRow& row : kMeasured) names.emplace_back(row.name);
  names.insert(names.end(), {"reason", "folder"});
  std::string out = fmt::format(
      "<details{}><summary><h2 style=\"display:inline\">All runs</h2>"
      "</summary>\n{}",
      result.failed() > 0 ? " open" : "", head(names));
  for (const RunOutcome& run : result.runs) {
    out += "<tr>";
    for (const auto& [name, value] : run.settings) {
      out += fmt::format("<td>{}</td>", markup_text(value_text(value)));
    }
    out += fmt::format("<td{}>{}</td><td>{}</td><td>{}</td>",
                       run.status == RunStatus::Failed ? " class=\"failed\"" : "", name(run.status),
                       run.epochs, run.steps);
    out += number_cell(run.seconds, "{:.2f}");
    for (const MeasuredRow& row : kMeasured) {
      const bool whole = row.value == &Measured::best_epoch;
      out += number_cell(run.measured.*row.value, whole ? "{:.0f}" : "{:.4f}");
    }
    out += fmt::format("<td class=\"text\">{}</td><td class=\"text\">{}</td></tr>\n",
                       markup_text(run.reason), markup_text(run.folder.filename().string()));
  }
  return out + "</tbody></table></div></details>\n";
}

}  // namespace

std::string sweep_html(const SweepResult& result, std::string_view title,
                       std::string_view rank_by) {
  const std::vector<Configuration> all = configurations(result, rank_by);
  if (all.empty()) return html_page(title, "<p>No runs.</p>\n", 0);
  std::int64_t finished = 0;
  for (const Configuration& configuration : all) finished += configuration.finished;
  const auto total = static_cast<std::int64_t>(result.runs.size());
  std::string body = fmt::format(
      "<h1>{}</h1>\n<p>{} runs of {} configurations: {} finished, {} failed{}. mase {}</p>\n",
      markup_text(title), total, all.size(), finished, result.failed(),
      finished + result.failed() < total
          ? fmt::format(", {} to be done", total - finished - result.failed())
          : "",
      MASE_VERSION);
  body += curve_charts(all);
  body += setting_charts(all);
  body += configurations_table(all, rank_by);
  body += runs_table(result);
  return html_page(title, body, static_cast<int>(all.size()));
}

}  // namespace mase::train
