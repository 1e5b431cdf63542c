// ch data [DATASET] [--download [--url URL]] [--json]: where the rows of a data set come from.
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "ch/actions/actions.h"
#include "ch/options/columns.h"
#include "mase/data/dataset.h"
#include "mase/data/download.h"
#include "mase/ir/value.h"
#include "mase/support/error.h"
#include "mase/support/log.h"
#include "mase/support/progress.h"
#include "mase/support/signals.h"
#include "mase/support/suggest.h"

namespace ch {

namespace {

mase::data::OpenOptions open_options(const Settings& settings, const mase::Log& log) {
  return {.data_dir = settings.text_or("data_dir", ""),
          .log = [&log](mase::LogLevel level, std::string_view text) { log.write(level, text); },
          .columns = column_map(settings.value("data"))};
}

nlohmann::ordered_json describe(const mase::data::DataSet& set) {
  nlohmann::ordered_json json;
  json["name"] = set.info.name;
  json["source"] = set.source;
  json["sha256"] = set.hash;
  json["sample_shape"] = set.info.sample_shape;
  json["classes"] = set.info.num_classes;
  json["train_rows"] = set.train.rows();
  json["validation_rows"] = set.validation.rows();
  json["test_rows"] = set.test.rows();
  return json;
}

void show(const Settings& settings, const std::string& name, const mase::Log& log) {
  const auto json = describe(mase::data::open(name, open_options(settings, log)));
  if (settings.flag("json")) {
    std::cout << mase::ir::json_text(json, 2) << "\n";
    return;
  }
  for (const auto& [key, value] : json.items()) {
    std::cout << fmt::format(
        "{:<16} {}\n", key,
        value.is_string() ? value.get<std::string>() : mase::ir::json_text(value));
  }
}

void fetch(const Settings& settings, const std::string& name, const mase::Log& log) {
  const mase::data::DataSetRow* row = mase::data::find_data_set(name);
  if (!row) {
    mase::usage_error(fmt::format("Dataset {} is not supported", name), {},
                      mase::did_you_mean(name, data_set_names()));
  }
  const mase::StopSignals signals;
  std::optional<mase::Progress> bar;
  std::string file;
  const mase::data::DownloadCallbacks callbacks{
      .progress =
          [&](const mase::data::DownloadProgress& progress) {
            if (!bar || file != progress.file) {
              file = progress.file;
              bar.emplace(file, progress.total, stderr,
                          mase::ProgressOptions{.unit = "B", .every_tenth = true});
            }
            bar->update(progress.done);
          },
      .info = [&log](std::string_view text) { log.info(text); }};
  const auto paths = mase::data::download(*row, settings.text_or("url", ""),
                                          settings.text_or("data_dir", ""), callbacks);
  bar.reset();
  for (const auto& path : paths) std::cout << path.string() << "\n";
}

}  // namespace

int run_data(Invocation& invocation) {
  const Settings& settings = invocation.settings;
  const mase::Log log(stderr, invocation.colour());
  if (settings.has("url") && !settings.flag("download")) {
    mase::usage_error("--url goes with --download");
  }
  if (settings.flag("download") && !settings.has("dataset")) {
    mase::usage_error("--download needs the name of a data set", {}, "ch data lists them");
  }
  if (!settings.has("dataset")) {
    invocation.positionals = {{"topic", "datasets"}};
    return run_info(invocation);
  }
  if (settings.flag("download")) {
    fetch(settings, settings.text("dataset"), log);
  } else {
    show(settings, settings.text("dataset"), log);
  }
  return 0;
}

}  // namespace ch
