// Configurations and their spreads, what all runs share; CSV and JSON.
#include "mase/train/sweep/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>

#include "mase/ir/metadata.h"
#include "mase/ir/value.h"
#include "mase/support/error.h"
#include "mase/support/files.h"

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

// "2026-01-31 14:05", local time.
std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min);
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
    if (!row.title.empty() && row.ranks) names.push_back(row.name);
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

ir::Dict fixed_options(const SweepResult& result) {
  if (result.runs.empty()) return {};
  ir::Dict out;
  for (const auto& option : result.runs.front().options) {
    const bool fixed = std::all_of(result.runs.begin(), result.runs.end(), [&](const auto& run) {
      const ir::Value* other = ir::find(run.options, option.first);
      return other && *other == option.second;
    });
    if (fixed && !option.second.is_none()) out.push_back(option);
  }
  return out;
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
                    {"fixed", ir::to_json(ir::Value(fixed_options(result)))},
                    {"configurations", ordered_json::array()},
                    {"runs", ordered_json::array()}};
  for (const Configuration& configuration : configurations(result, rank_by)) {
    json["configurations"].push_back(json_of(configuration));
  }
  for (const RunOutcome& run : result.runs) json["runs"].push_back(json_of(run));
  return ir::json_text(json, 2) + "\n";
}

void write_sweep_report(const SweepResult& result, const std::filesystem::path& folder,
                        std::string_view title, std::string_view rank_by) {
  write_file(folder / "sweep.csv", sweep_csv(result));
  write_file(folder / "sweep.json", sweep_json(result, rank_by));
  write_file(folder / "sweep.html", sweep_html(result, title, rank_by, today()));
}

}  // namespace mase::train
