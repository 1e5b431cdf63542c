// Configurations and their spreads; the printed table, CSV and JSON.
#include "mase/train/sweep/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/support/table.h"

namespace mase::train {
namespace {

using nlohmann::ordered_json;

ir::Dict without_seed(const ir::Dict& settings) {
  ir::Dict out;
  for (const auto& item : settings) {
    if (item.first != "seed") out.push_back(item);
  }
  return out;
}

std::size_t row_of(std::string_view name) {
  for (std::size_t i = 0; i < kMeasured.size(); ++i) {
    if (kMeasured[i].name == name) return i;
  }
  internal_error(fmt::format("nothing measured is called '{}'", name));
}

void summarise(Configuration& configuration) {
  for (const RunOutcome* run : configuration.runs) {
    configuration.parameters = run->parameters;
    if (run->status == RunStatus::Failed) ++configuration.failed;
    if (run->status != RunStatus::Finished) continue;
    ++configuration.finished;
    configuration.seconds += run->seconds;
  }
  if (configuration.finished > 0) {
    configuration.seconds /= static_cast<double>(configuration.finished);
  }
  for (std::size_t i = 0; i < kMeasured.size(); ++i) {
    std::vector<double> values;
    for (const RunOutcome* run : configuration.runs) {
      if (run->status != RunStatus::Finished) continue;
      values.push_back(run->measured.*kMeasured[i].value);
    }
    configuration.measured[i] = spread_of(values);
  }
}

std::string spread_text(const Spread& spread) {
  if (spread.count == 0) return "-";
  if (spread.count == 1) return fmt::format("{:.4f}", spread.mean);
  return fmt::format("{:.4f} ± {:.4f}", spread.mean, spread.deviation);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv_number(double value) {
  return std::isfinite(value) ? ir::repr(value) : "";
}

ordered_json json_of(const Spread& spread) {
  const auto number = [](double value) {
    return std::isfinite(value) ? ordered_json(value) : ordered_json();
  };
  return {{"count", spread.count},
          {"mean", number(spread.mean)},
          {"std", number(spread.deviation)},
          {"min", number(spread.least)},
          {"max", number(spread.greatest)}};
}

ordered_json json_of(const Configuration& configuration) {
  ordered_json out{{"settings", ir::to_json(ir::Value(configuration.settings))},
                   {"best", configuration.best},
                   {"runs", configuration.runs.size()},
                   {"finished", configuration.finished},
                   {"failed", configuration.failed},
                   {"parameters", configuration.parameters},
                   {"seconds", configuration.seconds}};
  for (std::size_t i = 0; i < kMeasured.size(); ++i) {
    out[std::string(kMeasured[i].name)] = json_of(configuration.measured[i]);
  }
  return out;
}

ordered_json json_of(const RunOutcome& run) {
  ordered_json out{{"settings", ir::to_json(ir::Value(run.settings))},
                   {"status", name(run.status)},
                   {"reason", run.reason},
                   {"key", run.key},
                   {"folder", run.folder.string()},
                   {"engine", run.engine},
                   {"parameters", run.parameters},
                   {"epochs", run.epochs},
                   {"steps", run.steps},
                   {"seconds", run.seconds}};
  for (const MeasuredRow& row : kMeasured) {
    const double value = run.measured.*row.value;
    out[std::string(row.name)] = std::isfinite(value) ? ordered_json(value) : ordered_json();
  }
  return out;
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  Spread out;
  double sum = 0;
  for (const double value : values) {
    if (value != value) continue;
    ++out.count;
    sum += value;
    out.least = out.count == 1 ? value : std::min(out.least, value);
    out.greatest = out.count == 1 ? value : std::max(out.greatest, value);
  }
  if (out.count == 0) return out;
  out.mean = sum / static_cast<double>(out.count);
  if (out.count < 2) return out;
  double squares = 0;
  for (const double value : values) {
    if (value == value) squares += (value - out.mean) * (value - out.mean);
  }
  out.deviation = std::sqrt(squares / static_cast<double>(out.count - 1));
  return out;
}

const Spread& Configuration::spread(std::string_view name) const {
  return measured[row_of(name)];
}

std::vector<std::string_view> rankings() {
  std::vector<std::string_view> names;
  for (const MeasuredRow& row : kMeasured) {
    if (!row.title.empty()) names.push_back(row.name);
  }
  return names;
}

std::vector<Configuration> configurations(const SweepResult& result, std::string_view rank_by) {
  std::vector<Configuration> out;
  std::map<std::string, std::size_t> places;  // by the text of the settings
  for (const RunOutcome& run : result.runs) {
    ir::Dict settings = without_seed(run.settings);
    const auto [place, is_new] = places.emplace(ir::repr(settings), out.size());
    if (is_new) out.push_back({.settings = std::move(settings)});
    out[place->second].runs.push_back(&run);
  }
  const std::size_t rank = row_of(rank_by);
  const double sign = kMeasured[rank].higher_is_better ? 1 : -1;
  Configuration* best = nullptr;
  for (Configuration& configuration : out) {
    summarise(configuration);
    const double mean = sign * configuration.measured[rank].mean;
    if (mean == mean && (!best || mean > sign * best->measured[rank].mean)) best = &configuration;
  }
  if (best && out.size() > 1) best->best = true;
  return out;
}

std::string print_sweep_table(const SweepResult& result, std::string_view rank_by) {
  const std::vector<Configuration> all = configurations(result, rank_by);
  if (all.empty()) return "";
  std::vector<std::string> headers = {""};
  for (const auto& [name, value] : all.front().settings) headers.push_back(name);
  headers.insert(headers.end(), {"params", "runs", "failed"});
  for (const MeasuredRow& row : kMeasured) {
    if (!row.title.empty()) headers.emplace_back(row.title);
  }
  headers.insert(headers.end(), {"test acc min..max", "s/run"});
  std::vector<std::vector<Cell>> rows;
  for (const Configuration& configuration : all) {
    std::vector<Cell> cells = {std::string(configuration.best ? "*" : "")};
    for (const auto& [name, value] : configuration.settings) cells.emplace_back(value_text(value));
    cells.emplace_back(configuration.parameters);
    cells.emplace_back(configuration.finished);
    cells.emplace_back(configuration.failed);
    for (std::size_t i = 0; i < kMeasured.size(); ++i) {
      if (!kMeasured[i].title.empty()) cells.emplace_back(spread_text(configuration.measured[i]));
    }
    const Spread& test = configuration.spread("test_acc");
    cells.emplace_back(test.count > 1 ? fmt::format("{:.4f}..{:.4f}", test.least, test.greatest)
                                      : std::string("-"));
    cells.emplace_back(configuration.finished > 0 ? fmt::format("{:.2f}", configuration.seconds)
                                                  : std::string("-"));
    rows.push_back(std::move(cells));
  }
  std::string text = format_table(
      headers, rows,
      {.style = TableStyle::Orgtbl, .align = std::vector<Align>(headers.size(), Align::Right)});
  text += fmt::format("\n* = best mean {}; mean ± standard deviation over the runs\n", rank_by);
  for (const RunOutcome& run : result.runs) {
    if (run.status != RunStatus::Failed) continue;
    text += fmt::format("failed: {}: {}\n", settings_text(run.settings), run.reason);
  }
  return text;
}

std::string sweep_csv(const SweepResult& result) {
  std::string text;
  if (result.runs.empty()) return text;
  for (const auto& [name, value] : result.runs.front().settings) text += csv_field(name) + ",";
  text += "status,reason,engine,parameters,epochs,steps,seconds";
  for (const MeasuredRow& row : kMeasured) text += fmt::format(",{}", row.name);
  text += ",key,folder\n";
  for (const RunOutcome& run : result.runs) {
    for (const auto& [name, value] : run.settings) text += csv_field(value_text(value)) + ",";
    text += fmt::format("{},{},{},{},{},{},{:.3f}", name(run.status), csv_field(run.reason),
                        run.engine, run.parameters, run.epochs, run.steps, run.seconds);
    for (const MeasuredRow& row : kMeasured) text += "," + csv_number(run.measured.*row.value);
    text += fmt::format(",{},{}\n", run.key, csv_field(run.folder.string()));
  }
  return text;
}

std::string sweep_json(const SweepResult& result, std::string_view rank_by) {
  ordered_json json{{"mase", MASE_VERSION},
                    {"ranked_by", rank_by},
                    {"complete", !result.interrupted},
                    {"configurations", ordered_json::array()},
                    {"runs", ordered_json::array()}};
  for (const Configuration& configuration : configurations(result, rank_by)) {
    json["configurations"].push_back(json_of(configuration));
  }
  for (const RunOutcome& run : result.runs) json["runs"].push_back(json_of(run));
  return json.dump(2) + "\n";
}

void write_sweep_report(const SweepResult& result, const std::filesystem::path& folder,
                        std::string_view title, std::string_view rank_by) {
  write_file(folder / "sweep.csv", sweep_csv(result));
  write_file(folder / "sweep.json", sweep_json(result, rank_by));
  write_file(folder / "sweep.html", sweep_html(result, title, rank_by));
}

}  // namespace mase::train
