// ch predict MODEL DATASET --load CHECKPOINT [--output FILE.npy|FILE.csv]
#include <fmt/format.h>

#include <iostream>
#include <optional>

#include <filesystem>

#include "ch/actions/actions.h"
#include "ch/load.h"
#include "ch/run.h"
#include "ch/work_folder.h"
#include "mase/io/arrays/npy.h"
#include "mase/ir/value.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/train/train.h"

namespace ch {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPredictionsFolder = "predictions";
constexpr std::string_view kLogits = "logits.npy";

fs::path output_path(const Run& run) {
  fs::path path = run.settings.text_or("output", "");
  if (path.empty()) return run.software(kPredictionsFolder) / kLogits;
  if (path.extension() != ".npy" && path.extension() != ".csv") {
    mase::usage_error(
        fmt::format("predictions are written as .npy or .csv, got '{}'", path.string()));
  }
  return path;
}

// One row per sample: the logits in their shortest exact form, the class, its name if it has one.
std::string csv_text(const mase::train::Predictions& predictions,
                     const std::vector<std::string>& class_names) {
  const std::int64_t rows = predictions.logits.dim(0);
  const std::int64_t classes = rows == 0 ? 0 : predictions.logits.size() / rows;
  const std::vector<float> logits = predictions.logits.floats();
  std::string text;
  for (std::int64_t c = 0; c < classes; ++c) text += fmt::format("logit_{},", c);
  text += class_names.empty() ? "class\n" : "class,class_name\n";
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < classes; ++c) text += fmt::format("{},", logits[r * classes + c]);
    const auto decided = static_cast<std::int64_t>(predictions.classes.at(r));
    text += fmt::format("{}", decided);
    if (!class_names.empty()) text += "," + (decided < 0 ? "" : class_names.at(decided));
    text += "\n";
  }
  return text;
}

}  // namespace

int run_predict(Invocation& invocation) {
  Run run(invocation);
  const fs::path given = run.settings.has("output") ? output_path(run) : fs::path();
  run.open();
  run.info(fmt::format("Predicting with model '{}'...", run.model_name()));
  load_checkpoint(required_checkpoint(run), run);
  const mase::data::Split& split = run.data.predict.defined() ? run.data.predict : run.data.test;
  if (!split.defined()) {
    mase::usage_error(fmt::format("Dataset {} has neither a pred nor a test split",
                                  run.settings.text("dataset")));
  }
  fs::path path = given.empty() ? output_path(run) : given;
  const mase::engine::ProgramOptions options = run.program_options();
  const mase::engine::Engine& engine = run.engine(run.graph, options);
  if (run.dry_run()) {
    std::cout << fmt::format("would predict {} rows of {} into {}\n", split.rows(),
                             run.data.info.name, path.string());
    return 0;
  }
  run.phases.start("predict");
  const mase::train::Predictions predictions =
      mase::train::predict(run.graph, split, engine, run.settings.integer("batch_size"), options);
  run.phases.start("write");
  std::optional<WorkFolder> folder;
  if (given.empty()) path = folder.emplace(run, kPredictionsFolder).path() / kLogits;
  if (path.extension() == ".csv") {
    mase::write_file(path, csv_text(predictions, run.data.info.class_names));
    run.info(
        fmt::format("Logits and classes of {} rows written to {}", split.rows(), path.string()));
  } else {
    const fs::path classes =
        path.parent_path() /
        (path.stem().string() == "logits" ? "classes.npy" : path.stem().string() + "_classes.npy");
    mase::io::write_npy(path, predictions.logits);
    mase::io::write_npy(classes, predictions.classes);
    run.info(fmt::format("Logits of {} rows written to {}, classes to {}", split.rows(),
                         path.string(), classes.string()));
  }
  if (!predictions.nonfinite.empty()) {
    throw mase::Error(mase::ErrorKind::RunFailed, predictions.nonfinite, {},
                      "the class is written as -1 where a logit is nan");
  }
  run.complete("Prediction");
  return 0;
}

}  // namespace ch
