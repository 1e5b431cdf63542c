// The printed table of a sweep: all columns that say something, then as many as fit, the least
// important ones left out first.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mase/ir/metadata.h"
#include "mase/support/table.h"
#include "mase/support/terminal.h"
#include "mase/support/wrap.h"
#include "mase/train/sweep/report.h"

namespace mase::train {
namespace {

// What reports on such experiments always give, varied or not.
constexpr std::array<std::string_view, 3> kAlways = {"max_epochs", "batch_size", "learning_rate"};

// Beyond those of the measurements (MeasuredRow::importance).
enum Importance { kNeeded = 0, kFixed = 8, kRuns, kParameters, kSeconds, kExtremes };

struct SweepColumn {
  std::string title;
  std::vector<std::string> cells = {};  // one per configuration
  int importance = kNeeded;
};
using Columns = std::vector<SweepColumn>;

std::string spread_text(const Spread& spread) {
  if (spread.count == 0) return "-";
  if (spread.count == 1) return fmt::format("{:.4f}", spread.mean);
  return fmt::format("{:.4f} ± {:.4f}", spread.mean, spread.deviation);
}

// Epochs are counted, not averaged: "7", "3..9".
std::string range_text(const Spread& spread) {
  if (spread.count == 0) return "-";
  if (spread.least == spread.greatest) return fmt::format("{:.0f}", spread.least);
  return fmt::format("{:.0f}..{:.0f}", spread.least, spread.greatest);
}

template <typename TextOf>
SweepColumn column(std::string title, int importance, const std::vector<Configuration>& all,
                   TextOf text_of) {
  SweepColumn out{.title = std::move(title), .importance = importance};
  for (const Configuration& configuration : all) out.cells.push_back(text_of(configuration));
  return out;
}

// A setting, or an option that is the same for all runs of a configuration; "" if unknown.
std::string option_text(const Configuration& configuration, std::string_view name) {
  const ir::Value* value = ir::find(configuration.settings, name);
  if (!value) value = ir::find(configuration.runs.front()->options, name);
  return value ? value_text(*value) : "";
}

Columns setting_columns(const std::vector<Configuration>& all) {
  Columns out;
  const auto add = [&](std::string_view name) {
    const bool varied = ir::find(all.front().settings, name) != nullptr;
    out.push_back(column(std::string(name), varied ? kNeeded : kFixed, all,
                         [&](const Configuration& c) { return option_text(c, name); }));
  };
  for (const auto& [name, value] : all.front().settings) {
    if (std::find(kAlways.begin(), kAlways.end(), name) == kAlways.end()) add(name);
  }
  for (const std::string_view name : kAlways) {
    if (!option_text(all.front(), name).empty()) add(name);
  }
  return out;
}

// Those that were measured at all; all of them while nothing has finished.
Columns measured_columns(const std::vector<Configuration>& all, std::string_view rank_by) {
  const bool any =
      std::any_of(all.begin(), all.end(), [](const auto& c) { return c.finished > 0; });
  Columns out;
  for (std::size_t i = 0; i < kMeasured.size(); ++i) {
    const MeasuredRow& row = kMeasured[i];
    const bool measured =
        std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.measured[i].count > 0; });
    if (row.title.empty() || (any && !measured)) continue;
    const int importance = row.name == rank_by ? kNeeded : row.importance;
    out.push_back(column(std::string(row.title), importance, all, [&](const Configuration& c) {
      return row.counts() ? range_text(c.measured[i]) : spread_text(c.measured[i]);
    }));
  }
  return out;
}

std::string extremes_text(const Configuration& configuration) {
  const Spread& test = configuration.spread("test_acc");
  if (test.count < 2) return "-";
  return fmt::format("{:.4f}..{:.4f}", test.least, test.greatest);
}

Columns all_columns(const std::vector<Configuration>& all, std::string_view rank_by) {
  const auto any = [&](auto holds) { return std::any_of(all.begin(), all.end(), holds); };
  Columns out;
  if (all.size() > 1) {
    out.push_back(column("", kNeeded, all, [](const auto& c) { return c.best ? "*" : ""; }));
  }
  const auto append = [&](Columns more) {
    std::move(more.begin(), more.end(), std::back_inserter(out));
  };
  append(setting_columns(all));
  out.push_back(column("params", kParameters, all,
                       [](const auto& c) { return fmt::format("{}", c.parameters); }));
  if (any([](const auto& c) { return c.runs.size() > 1; })) {
    out.push_back(
        column("runs", kRuns, all, [](const auto& c) { return fmt::format("{}", c.finished); }));
  }
  if (any([](const auto& c) { return c.failed > 0; })) {
    out.push_back(
        column("failed", kNeeded, all, [](const auto& c) { return fmt::format("{}", c.failed); }));
  }
  append(measured_columns(all, rank_by));
  if (any([](const auto& c) { return c.spread("test_acc").count > 1; })) {
    out.push_back(column("test acc min..max", kExtremes, all, extremes_text));
  }
  out.push_back(column("s/run", kSeconds, all, [](const auto& c) {
    return c.finished > 0 ? fmt::format("{:.2f}", c.seconds) : std::string("-");
  }));
  return out;
}

// `header` and `cell`: where texts wrap; 0 = nowhere.
std::string render(const Columns& columns, TableStyle style, std::size_t header = 0,
                   std::size_t cell = 0) {
  std::vector<std::string> headers;
  std::vector<std::vector<Cell>> rows(columns.front().cells.size());
  for (const SweepColumn& column : columns) {
    headers.push_back(header == 0
                          ? column.title
                          : fmt::format("{}", fmt::join(wrap_text(column.title, header), "\n")));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].emplace_back(column.cells[i]);
  }
  return format_table(headers, rows,
                      {.style = style,
                       .align = std::vector<Align>(columns.size(), Align::Right),
                       .max_width = cell});
}

std::size_t width_of(const std::string& table) {
  return visible_width(std::string_view(table).substr(0, table.find('\n')));
}

// Wraps the headers, then leaves columns out, then wraps whatever is left, until it fits.
std::string fitted(Columns columns, std::size_t width, std::vector<std::string>& left_out) {
  constexpr std::size_t kHeader = 13;  // "learning_rate"
  std::string text = render(columns, TableStyle::Orgtbl);
  if (width_of(text) <= width) return text;
  text = render(columns, TableStyle::Orgtbl, kHeader);
  while (width_of(text) > width) {
    const auto least = std::max_element(
        columns.begin(), columns.end(),
        [](const SweepColumn& a, const SweepColumn& b) { return a.importance < b.importance; });
    if (least->importance == kNeeded) break;
    left_out.push_back(least->title);
    columns.erase(least);
    text = render(columns, TableStyle::Orgtbl, kHeader);
  }
  for (std::size_t cell = 16; cell >= 4 && width_of(text) > width; cell -= 2) {
    text = render(columns, TableStyle::Orgtbl, 0, cell);
  }
  return text;
}

std::string lines(const std::string& text, int width, std::string_view begin = "") {
  std::string out;
  for (const std::string& line : wrap_text(text, width > 0 ? std::size_t(width) : text.size())) {
    out += fmt::format("{}{}\n", begin, line);
  }
  return out;
}

std::string notes(const std::vector<Configuration>& all, const SweepTable& options,
                  const std::vector<std::string>& left_out) {
  const std::string_view gap = options.markdown ? "\n" : "";  // paragraphs of their own
  std::string text(gap);
  const std::string best =
      all.size() > 1
          ? fmt::format("{} = best mean {}; ", options.markdown ? "`*`" : "*", options.rank_by)
          : "";
  text += lines(best + "mean ± standard deviation over the runs", options.width);
  text += gap;
  text += lines(
      "last: after the last epoch; best: after the epoch of the lowest validation loss (epochs "
      "count from 0), whose weights are tested",
      options.width);
  if (!left_out.empty()) {
    text += lines(fmt::format("left out to fit {} columns: {} (--markdown prints them, sweep.csv "
                              "and sweep.html hold them)",
                              options.width, fmt::join(left_out, ", ")),
                  options.width);
  }
  return text;
}

}  // namespace

std::string print_sweep_table(const SweepResult& result, const SweepTable& options) {
  const std::vector<Configuration> all = configurations(result, options.rank_by);
  if (all.empty()) return "";
  const Columns columns = all_columns(all, options.rank_by);
  std::vector<std::string> left_out;
  std::string text;
  if (options.markdown) {
    text = render(columns, TableStyle::Markdown);
  } else if (options.width > 0) {
    text = fitted(columns, static_cast<std::size_t>(options.width), left_out);
  } else {
    text = render(columns, TableStyle::Orgtbl);
  }
  text += "\n" + notes(all, options, left_out);
  bool first = true;
  for (const RunOutcome& run : result.runs) {
    if (run.status != RunStatus::Failed) continue;
    if (options.markdown && first) text += "\n";
    first = false;
    text += lines(fmt::format("failed: {}: {}", settings_text(run.settings), run.reason),
                  options.width, options.markdown ? "- " : "");
  }
  return text;
}

}  // namespace mase::train
