// ch info [models|datasets|passes|formats|ops] [--json], and --info as MASE prints it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "ch/actions/actions.h"
#include "ch/fitted_table.h"
#include "mase/data/dataset.h"
#include "mase/ir/value.h"
#include "mase/models/model.h"
#include "mase/numerics/format.h"
#include "mase/ops/op.h"
#include "mase/passes/pass.h"
#include "mase/support/error.h"
#include "mase/support/paths.h"
#include "mase/support/printable.h"
#include "mase/support/table.h"
#include "mase/support/terminal.h"

namespace ch {

namespace {

using Json = nlohmann::ordered_json;

// What a topic lists: objects whose keys are the columns of the table.
using Listing = std::vector<Json>;

Json names(const std::vector<std::string_view>& parts) {
  return Json(parts);
}

std::string source_of(const std::filesystem::path& path) {
  const std::string near = mase::path_from_here(path).string();
  return near.starts_with("..") ? path.string() : near;
}

Listing list_models(const Settings& settings) {
  Listing list;
  for (const mase::models::ModelRow* row : mase::models::models()) {
    const mase::ir::Graph graph = row->build(mase::data::info(row->shown_with), 0);
    list.push_back({{"model", row->name},
                    {"parameters", graph.parameter_count()},
                    {"class", row->class_name},
                    {"data", row->shown_with},
                    {"source", "built in"},
                    {"about", row->summary}});
  }
  // Model files name their layers only; the ones at hand are for jets.
  const mase::data::Info jets = mase::data::info("jsc");
  for (const auto& [name, path] : mase::models::model_files(settings.text_or("model_dir", ""))) {
    Json row = {{"model", name}, {"parameters", nullptr},  {"class", nullptr},
                {"data", "jsc"}, {"source", "model file"}, {"about", source_of(path)}};
    try {
      const mase::ir::Graph graph = mase::models::read_model_file(path, jets, 0);
      row["parameters"] = graph.parameter_count();
      row["class"] = graph.class_name;
    } catch (const mase::Error& error) {
      row["about"] = mase::printable(error.text());
    }
    list.push_back(std::move(row));
  }
  return list;
}

Listing list_data_sets(const Settings&) {
  Listing list;
  for (const mase::data::DataSetRow* row : mase::data::data_sets()) {
    const mase::data::Info info = row->info({});
    list.push_back({{"dataset", row->name},
                    {"sample", info.sample_shape},
                    {"classes", info.num_classes},
                    {"about", row->summary}});
  }
  return list;
}

Listing list_passes(const Settings&) {
  Listing list;
  for (const mase::passes::Pass* pass : mase::passes::passes()) {
    std::vector<std::string_view> keys;
    for (const mase::Field& option : pass->options) {
      keys.push_back(option.name == "*" ? "(rules)" : option.name);
    }
    list.push_back({{"pass", pass->name},
                    {"kind", mase::passes::name(pass->kind)},
                    {"keys", names(keys)},
                    {"about", pass->summary}});
  }
  return list;
}

Listing list_formats(const Settings&) {
  Listing list;
  for (const mase::numerics::Format* format : mase::numerics::formats()) {
    std::vector<std::string_view> parameters;
    for (const mase::Field& field : format->fields) parameters.push_back(field.name);
    list.push_back({{"format", format->name},
                    {"aliases", names(format->aliases)},
                    {"parameters", names(parameters)},
                    {"about", format->summary}});
  }
  return list;
}

Listing list_ops(const Settings&) {
  Listing list;
  for (const mase::ops::Op* op : mase::ops::ops()) {
    list.push_back({{"op", op->name},
                    {"type", mase::ops::name(op->kind)},
                    {"layer", op->layer},
                    {"quantisable", names(op->quantisable)},
                    {"about", op->summary}});
  }
  return list;
}

struct Topic {
  std::string_view name;
  std::string_view title;
  Listing (*list)(const Settings&);
};

constexpr Topic kTopics[] = {
    {"models", "Models", list_models}, {"datasets", "Data sets", list_data_sets},
    {"passes", "Passes", list_passes}, {"formats", "Number formats", list_formats},
    {"ops", "Ops", list_ops},
};

// Shapes as "1 x 28 x 28", names as "a, b".
mase::Cell to_cell(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_number()) return value.get<std::int64_t>();
  if (value.is_string()) return value.get<std::string>();
  std::string text;
  for (const Json& item : value) {
    const bool number = item.is_number();
    text += fmt::format("{}{}",
                        text.empty() ? ""
                        : number     ? " x "
                                     : ", ",
                        number ? mase::ir::json_text(item) : item.get<std::string>());
  }
  return text;
}

std::string to_text(const Listing& list) {
  std::vector<std::string> headers;
  for (const auto& [key, value] : list.at(0).items()) {
    headers.push_back(key);
    headers.back()[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(key[0])));
  }
  std::vector<std::vector<mase::Cell>> rows;
  for (const Json& object : list) {
    rows.emplace_back();
    for (const Json& value : object) rows.back().push_back(to_cell(value));
  }
  return fitted_table(headers, rows, mase::inspect_terminal(STDOUT_FILENO).width);
}

// MASE's table of names, filled column by column.
std::string columns_of_names(const std::string& title, std::vector<std::string> names,
                             std::size_t columns) {
  std::sort(names.begin(), names.end());
  const std::size_t height = (names.size() + columns - 1) / columns;
  std::vector<std::vector<mase::Cell>> rows(height);
  for (std::size_t r = 0; r < height; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      const std::size_t i = c * height + r;
      rows[r].emplace_back(i < names.size() ? names[i] : "");
    }
  }
  std::vector<std::string> headers(columns);
  headers.front() = title;
  return mase::format_table(headers, rows, {.style = mase::TableStyle::Pretty}) + "\n";
}

}  // namespace

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const mase::models::ModelRow* row : mase::models::models()) names.emplace_back(row->name);
  for (const auto& [name, path] : mase::models::model_files()) names.push_back(name);
  return names;
}

std::vector<std::string> data_set_names() {
  std::vector<std::string> names;
  for (const mase::data::DataSetRow* row : mase::data::data_sets()) names.emplace_back(row->name);
  return names;
}

std::vector<std::string> info_topics() {
  std::vector<std::string> names;
  for (const Topic& topic : kTopics) names.emplace_back(topic.name);
  return names;
}

std::string list_supported(std::string_view what) {
  std::string text;
  if (what != "dataset") text += columns_of_names("Supported Models", model_names(), 3);
  if (what != "model") text += columns_of_names("Supported Datasets", data_set_names(), 2);
  return text;
}

int run_info(Invocation& invocation) {
  const std::string wanted = invocation.positional("topic");
  Json json;
  for (const Topic& topic : kTopics) {
    if (!wanted.empty() && wanted != topic.name) continue;
    const Listing list = topic.list(invocation.settings);
    if (invocation.settings.flag("json")) {
      json[std::string(topic.name)] = list;
    } else {
      if (wanted.empty()) std::cout << topic.title << "\n\n";
      std::cout << to_text(list);
      if (wanted.empty()) std::cout << "\n";
    }
  }
  if (invocation.settings.flag("json")) {
    std::cout << mase::ir::json_text(wanted.empty() ? json : json[wanted], 2) << "\n";
  }
  return 0;
}

}  // namespace ch
