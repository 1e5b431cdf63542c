// The page of a sweep: charts, a table of the configurations, a table of the runs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "mase/support/markup.h"
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

// On one line, cut where it is long; whole under the pointer, and when it is copied.
std::string text_cell(const std::string& text) {
  const std::string safe = markup_text(text);
  return fmt::format("<td class=\"text\" title=\"{0}\">{0}</td>", safe);
}

std::string head(const std::vector<std::string>& names) {
  std::string out = "<div class=\"wide\"><table class=\"sortable\">\n<thead><tr>";
  for (const std::string& name : names) out += fmt::format("<th>{}</th>", markup_text(name));
  return out + "</tr></thead>\n<tbody>\n";
}

// The colour that configuration has in every chart.
std::string swatch(std::size_t configuration) {
  return fmt::format("<td data-value=\"{0}\"><i class=\"swatch c{0}\"></i></td>", configuration);
}

std::string configurations_table(const std::vector<Configuration>& all, std::string_view rank_by) {
  std::vector<std::string> names = {""};
  for (const auto& [name, value] : all.front().settings) names.push_back(name);
  names.insert(names.end(), {"params", "runs", "failed"});
  for (const MeasuredRow& row : kMeasured) {
    if (!row.title.empty()) names.emplace_back(row.title);
  }
  names.emplace_back("s/run");
  std::string out = fmt::format(
      "<h2>Configurations</h2>\n<p>Mean ± standard deviation, least..greatest over the runs. "
      "Last: after the last epoch; best: after the epoch of the lowest validation loss (epochs "
      "count from 0), whose weights are tested. Marked: the best mean {}. A click on a heading "
      "sorts.</p>\n{}",
      markup_text(rank_by), head(names));
  for (std::size_t at = 0; at < all.size(); ++at) {
    const Configuration& configuration = all[at];
    out += configuration.best ? "<tr class=\"best\">" : "<tr>";
    out += swatch(at);
    for (const auto& [name, value] : configuration.settings) {
      out += fmt::format("<td>{}</td>", markup_text(value_text(value)));
    }
    out += fmt::format("<td>{}</td><td>{}</td><td{}>{}</td>", configuration.parameters,
                       configuration.finished, configuration.failed > 0 ? " class=\"failed\"" : "",
                       configuration.failed);
    for (std::size_t i = 0; i < kMeasured.size(); ++i) {
      if (kMeasured[i].title.empty()) continue;
      out += kMeasured[i].counts() ? number_cell(configuration.measured[i].mean, "{:.3g}")
                                   : spread_cell(configuration.measured[i]);
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
  std::string out = fmt::format("<details{}><summary><h2>All runs</h2></summary>\n{}",
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
      out += number_cell(run.measured.*row.value, row.counts() ? "{:.0f}" : "{:.4f}");
    }
    out += text_cell(run.reason) + text_cell(run.folder.filename().string()) + "</tr>\n";
  }
  return out + "</tbody></table></div></details>\n";
}

// Each data set once.
std::string data_lines(const SweepResult& result) {
  std::set<std::string> told;
  std::string out;
  for (const RunOutcome& run : result.runs) {
    if (!run.data.empty() && told.insert(run.data).second) {
      out += fmt::format("<p>Data set {}</p>\n", markup_text(run.data));
    }
  }
  return out;
}

std::string fixed_section(const SweepResult& result) {
  std::string out;
  for (const auto& [name, value] : fixed_options(result)) {
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", markup_text(name),
                       markup_text(value_text(value)));
  }
  if (out.empty()) return "";
  return "<details open><summary><h2>The same for all runs</h2></summary>\n<dl>\n" + out +
         "</dl></details>\n";
}

// What hides and shows configurations, in the colours of their lines.
std::string legend(const std::vector<Configuration>& all) {
  std::string out =
      "<div class=\"legend\"><button data-all=\"show\">show all</button><button "
      "data-all=\"hide\">hide all</button>\n";
  for (std::size_t i = 0; i < all.size(); ++i) {
    const ir::Dict& settings = all[i].settings;
    out += fmt::format(
        "<button data-configuration=\"{0}\" aria-pressed=\"true\"><i class=\"swatch "
        "c{0}\"></i>{1}</button>\n",
        i, markup_text(settings.empty() ? "all runs" : settings_text(settings)));
  }
  return out + "</div>\n";
}

std::string summary(const SweepResult& result, std::size_t configurations, std::string_view title,
                    std::string_view date) {
  const auto finished = std::count_if(result.runs.begin(), result.runs.end(), [](const auto& run) {
    return run.status == RunStatus::Finished;
  });
  const std::int64_t left = std::ssize(result.runs) - finished - result.failed();
  return fmt::format(
      "<h1>{}</h1>\n<p>{}{} run{} of {} configuration{}: {} finished, {} failed{}. mase {}</p>\n",
      markup_text(title), date.empty() ? "" : fmt::format("{}. ", date), result.runs.size(),
      result.runs.size() == 1 ? "" : "s", configurations, configurations == 1 ? "" : "s", finished,
      result.failed(), left > 0 ? fmt::format(", {} to be done", left) : "", MASE_VERSION);
}

}  // namespace

std::string sweep_html(const SweepResult& result, std::string_view title, std::string_view rank_by,
                       std::string_view date) {
  const std::vector<Configuration> all = configurations(result, rank_by);
  if (all.empty()) return html_page(title, "<p>No runs.</p>\n", 0, {});
  std::vector<Chart> charts;
  std::string pictures = curve_charts(all, charts);
  pictures += setting_charts(all, charts);
  std::string body = summary(result, all.size(), title, date) + data_lines(result);
  if (!pictures.empty()) {
    body +=
        "<noscript><p>The charts need JavaScript; the tables hold the figures.</p></noscript>\n";
    body += legend(all) + pictures;
  }
  body += configurations_table(all, rank_by) + runs_table(result) + fixed_section(result);
  return html_page(title, body, static_cast<int>(all.size()), charts);
}

}  // namespace mase::train
