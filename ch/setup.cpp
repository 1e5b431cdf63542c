// From settings to the parts of a run.
#include "ch/setup.h"

#include <algorithm>

#include "ch/options/columns.h"
#include "mase/models/model.h"
#include "mase/train/optimiser.h"

namespace ch {

namespace {

std::uint64_t seed(const Settings& settings) {
  return static_cast<std::uint64_t>(settings.integer("seed"));
}

}  // namespace

mase::LogLevel log_level(const Settings& settings) {
  mase::LogLevel level = mase::LogLevel::Info;
  if (settings.flag("to_debug")) return mase::LogLevel::Debug;
  mase::parse_log_level(settings.text("log_level"), level);
  return level;
}

mase::ir::Graph build_model(const Settings& settings) {
  return mase::models::build(
      settings.text("model"),
      mase::data::info(settings.text("dataset"), column_map(settings.value("data"))),
      {.seed = seed(settings), .model_dir = settings.text_or("model_dir", "")});
}

mase::data::DataSet open_data(const Settings& settings, const mase::data::LogSink& log) {
  return mase::data::open(settings.text("dataset"),
                          {.data_dir = settings.text_or("data_dir", ""),
                           .val_fraction = settings.number("val_fraction"),
                           .seed = seed(settings),
                           .use_cache = !settings.flag("disable_dataset_cache"),
                           .log = log,
                           .columns = column_map(settings.value("data"))});
}

mase::engine::ProgramOptions program_options(const Settings& settings) {
  const std::string& precision = settings.text("trainer_precision");
  mase::engine::ProgramOptions options;
  options.threads = static_cast<int>(std::max<std::int64_t>(1, settings.integer("num_workers")));
  options.seed = seed(settings);
  options.deterministic = settings.flag("deterministic");
  if (precision == "64") options.precision = mase::engine::Precision::Float64;
  if (precision == "bf16") options.precision = mase::engine::Precision::BFloat16Mixed;
  return options;
}

mase::train::FitOptions fit_options(const Settings& settings) {
  const mase::engine::ProgramOptions program = program_options(settings);
  mase::train::FitOptions options;
  options.optimiser = mase::train::optimiser_options(settings.text("training_optimizer"),
                                                     settings.number("learning_rate"),
                                                     settings.number("weight_decay"));
  const auto asked = [&](std::string_view option) {
    const Setting& setting = settings.at(option);
    return setting.manual || setting.file;
  };
  options.asked = {.optimiser = asked("training_optimizer"),
                   .learning_rate = asked("learning_rate"),
                   .weight_decay = asked("weight_decay")};
  options.precision = program.precision;
  options.threads = program.threads;
  options.seed = program.seed;
  options.batch_size = settings.integer("batch_size");
  options.max_epochs = settings.integer("max_epochs");
  if (settings.has("max_steps")) options.max_steps = settings.integer("max_steps");
  options.accumulate_grad_batches = settings.integer("accumulate_grad_batches");
  if (settings.has("log_every_n_steps")) {
    options.log_every_n_steps = settings.integer("log_every_n_steps");
  }
  options.deterministic = program.deterministic;
  if (settings.has("early_stopping")) {
    options.early_stopping = {.monitor = settings.text("early_stopping"),
                              .patience = settings.integer("patience"),
                              .min_delta = settings.number("min_delta")};
  }
  options.one_batch = settings.flag("to_debug");
  if (settings.has("resume")) options.resume = settings.text("resume");
  return options;
}

mase::ir::Dict hyper_parameters(const Settings& settings, std::string_view action) {
  mase::ir::Dict values = settings.values();
  values.emplace_back("action", action);
  values.emplace_back("config", settings.value("config"));
  std::sort(values.begin(), values.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return values;
}

}  // namespace ch
