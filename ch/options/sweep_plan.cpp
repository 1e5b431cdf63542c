// From lists to runs: a grid, a list, or for each entry of the list the grid.
#include "ch/options/sweep_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ch/options/columns.h"
#include "ch/options/file_value.h"
#include "mase/models/model.h"
#include "mase/support/error.h"
#include "mase/support/suggest.h"

namespace ch {

using mase::Diagnostics;
using mase::io::TomlNode;
using mase::ir::Value;

namespace {

constexpr std::string_view kRunKey = "run";  // [[sweep.run]]
constexpr std::size_t kMostRuns = 10'000;

struct Axis {
  const Option* option = nullptr;
  std::vector<Value> values;
  mase::Location where;  // in the file, if it comes from there
};

// Model and data set, the rows of the table, the seed.
int rank(const Option& option) {
  if (option.dest() == "model") return -2;
  if (option.dest() == "dataset") return -1;
  if (option.dest() == "seed") return 1'000'000;
  return static_cast<int>(&option - options().data());
}

bool before(const Axis& a, const Axis& b) {
  return rank(*a.option) < rank(*b.option);
}

const Option* option_that_varies(const std::string& key, const TomlNode& node,
                                 Diagnostics& diagnostics) {
  std::vector<std::string> known = {std::string(kRunKey)};
  for (const Option& option : options()) {
    if (option.may_vary) known.emplace_back(option.dest());
  }
  const Option* option = find_option(key);
  if (option && option->may_vary) return option;
  if (option && option->in_table) {
    diagnostics.add(fmt::format("'{}' cannot vary: no outcome depends on it", key), node.where,
                    "set it at the top of the file");
    return nullptr;
  }
  std::string near = mase::did_you_mean(key, known);
  if (near.empty()) near = fmt::format("what may vary is {}", fmt::join(known, ", "));
  diagnostics.add(fmt::format("unknown key '{}' in a sweep", key), node.where, near);
  return nullptr;
}

// The values of one key: a value, a list, or the text of a list. Every problem is reported with the
// place of its value.
std::vector<Value> read_values(const Option& option, const TomlNode& node,
                               Diagnostics& diagnostics) {
  const auto problem = [&](const TomlNode& at, std::string_view text) {
    diagnostics.add(fmt::format("'{}': {}", option.dest(), text), at.where);
  };
  std::vector<Value> values;
  const auto* text = node.value.get<std::string>();
  if (text && (option.is_number() || text->find(',') != std::string::npos)) {
    std::vector<std::string> problems;
    values = parse_list(option, *text, problems);
    for (const std::string& each : problems) problem(node, each);
    return values;
  }
  const bool list = node.value.is<mase::ir::List>();
  if (list && node.items.empty()) problem(node, "an empty list");
  for (const TomlNode& item : list ? node.items : std::vector<TomlNode>{node}) {
    std::optional<Value> value = convert_value(option, item);
    if (!value) {
      problem(item, wrong_kind(option, item));
      continue;
    }
    const std::string wrong = check_file_value(option, item.where, *value);
    if (!wrong.empty()) {
      problem(item, wrong);
    } else if (std::find(values.begin(), values.end(), *value) != values.end()) {
      problem(item, fmt::format("{} is in the list twice", shown(*value)));
    } else {
      values.push_back(*std::move(value));
    }
  }
  return values;
}

// The keys of [sweep] become settings with several values, unless they were typed.
void read_grid(const TomlNode& sweep, Settings& settings, Diagnostics& diagnostics) {
  for (const auto& [key, node] : sweep.table) {
    if (key == kRunKey) continue;
    const Option* option = option_that_varies(key, node, diagnostics);
    if (!option) continue;
    std::vector<Value> values = read_values(*option, node, diagnostics);
    Setting& setting = settings.at(key);
    if (values.empty()) continue;
    setting.where = node.where;
    setting.file = values.front();
    if (values.size() > 1 && !setting.manual) setting.values = std::move(values);
  }
}

std::vector<Axis> read_entry(const TomlNode& entry, const TomlNode& sweep, const Settings& settings,
                             Diagnostics& diagnostics) {
  std::vector<Axis> axes;
  for (const auto& [key, node] : entry.table) {
    const Option* option = option_that_varies(key, node, diagnostics);
    if (!option) continue;
    if (const TomlNode* grid = sweep.find(key)) {
      diagnostics.add(fmt::format("'{}' stands in [sweep], too", key), node.where,
                      fmt::format("leave one of them out: the other is at {}", grid->where.text()));
      continue;
    }
    std::vector<Value> values = read_values(*option, node, diagnostics);
    if (values.empty() || settings.at(key).manual) continue;
    axes.push_back({option, std::move(values), node.where});
  }
  return axes;
}

std::vector<std::vector<Axis>> read_entries(const TomlNode& sweep, const Settings& settings,
                                            Diagnostics& diagnostics) {
  const TomlNode* list = sweep.find(kRunKey);
  if (!list) return {{}};
  std::vector<std::vector<Axis>> entries;
  for (const TomlNode& item : list->items) {
    if (!item.is_table) continue;
    entries.push_back(read_entry(item, sweep, settings, diagnostics));
  }
  if (entries.empty() || entries.size() != list->items.size()) {
    diagnostics.add("'run' must be a list of tables", list->where, "write [[sweep.run]]");
  }
  return entries;
}

std::size_t product(const std::vector<Axis>& axes) {
  std::size_t count = 1;
  for (const Axis& axis : axes) {
    count *= axis.values.size();
    if (count > kMostRuns) return kMostRuns + 1;
  }
  return count;
}

// Every combination, the last axis fastest.
void expand(const Settings& base, const std::vector<Axis>& axes, std::vector<Settings>& runs) {
  const std::size_t count = product(axes);
  for (std::size_t i = 0; i < count; ++i) {
    Settings run = base;
    std::size_t rest = i;
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
      Setting& setting = run.at(axis->option->dest());
      setting.manual = axis->values[rest % axis->values.size()];
      setting.where = axis->where;
      setting.values.clear();
      setting.adjusted.reset();
      rest /= axis->values.size();
    }
    run.settle();
    runs.push_back(std::move(run));
  }
}

// Each name once, so that a typing mistake is not reported for every seed.
void check_names(const SweepPlan& plan, Diagnostics& diagnostics) {
  std::set<std::pair<std::string, std::string>> seen;
  std::set<std::string> told;
  for (const Settings& run : plan.runs) {
    if (!run.has("model") || !run.has("dataset")) {
      diagnostics.add("No model and/or dataset provided! These are required.", {},
                      "ch sweep MODEL DATASET, or model and dataset in the configuration");
      return;
    }
    const std::string& dataset = run.text("dataset");
    const std::string& model = run.text("model");
    if (!seen.insert({dataset, model}).second) continue;
    std::string_view which = "dataset";
    try {
      const mase::data::Info info = mase::data::info(dataset, column_map(run.value("data")));
      which = "model";
      mase::models::build(model, info, {.model_dir = run.text_or("model_dir", "")});
    } catch (const mase::Error& error) {
      if (!told.insert(error.text()).second) continue;
      diagnostics.add(error.message(), error.where().empty() ? run.at(which).where : error.where(),
                      error.hint());
    }
  }
}

}  // namespace

SweepPlan planned_sweep(const TomlNode& file, Settings& settings, Diagnostics& diagnostics) {
  static const TomlNode kNone;
  const TomlNode* found = file.find(kSweepKey);
  const TomlNode& sweep = found && found->is_table ? *found : kNone;
  read_grid(sweep, settings, diagnostics);
  std::vector<std::vector<Axis>> entries = read_entries(sweep, settings, diagnostics);

  std::set<const Option*> varied;
  std::size_t count = 0;
  for (std::vector<Axis>& axes : entries) {
    for (const Setting& setting : settings.all()) {
      if (setting.values.empty()) continue;
      axes.push_back(
          {setting.option, setting.values, setting.manual ? mase::Location{} : setting.where});
    }
    std::stable_sort(axes.begin(), axes.end(), before);
    for (const Axis& axis : axes) varied.insert(axis.option);
    count += product(axes);
  }
  if (count > kMostRuns) {
    diagnostics.add(fmt::format("more than {} runs", kMostRuns), sweep.where);
    return {};
  }
  SweepPlan plan;
  for (const std::vector<Axis>& axes : entries) expand(settings, axes, plan.runs);
  std::vector<Axis> columns;
  for (const Option* option : varied) columns.push_back({option, {}, {}});
  if (columns.empty()) columns.push_back({find_option("model"), {}, {}});
  std::sort(columns.begin(), columns.end(), before);
  for (const Axis& column : columns) plan.varied.emplace_back(column.option->dest());
  check_names(plan, diagnostics);
  return plan;
}

}  // namespace ch
