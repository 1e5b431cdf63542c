// ch test MODEL DATASET --load CHECKPOINT
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "ch/actions/actions.h"
#include "ch/load.h"
#include "ch/run.h"
#include "mase/ir/value.h"
#include "mase/support/error.h"
#include "mase/train/train.h"

namespace ch {

namespace {

mase::data::Split first_rows(const mase::data::Split& split, std::int64_t rows) {
  rows = std::min(rows, split.rows());
  return {split.features.rows(0, rows), split.labels.rows(0, rows)};
}

void print_json(const Run& run, const mase::train::TestResult& result,
                const mase::io::LoadReport& loaded) {
  nlohmann::ordered_json json;
  json["model"] = run.model_name();
  json["dataset"] = run.settings.text("dataset");
  json["test_acc_epoch"] = result.accuracy;
  json["test_loss_epoch"] = result.loss;
  json["rows"] = result.rows;
  json["parameters"] = {{"matched", loaded.matched.size()},
                        {"missing", loaded.missing},
                        {"unexpected", loaded.unexpected}};
  json["quantised_nodes"] = loaded.quantisation.size();
  std::cout << mase::ir::json_text(json, 2) << "\n";
}

}  // namespace

int run_test(Invocation& invocation) {
  Run run(invocation);
  run.open();
  run.info(fmt::format("Testing model '{}'...", run.model_name()));
  const Checkpoint checkpoint = required_checkpoint(run);
  const mase::io::LoadReport loaded = load_checkpoint(checkpoint, run);
  // (Where something does not fit, the warning holds the table.)
  if (checkpoint.type != "mz" && loaded.exact() && !run.json()) {
    std::cout << loaded.text() << std::endl;
  }

  mase::data::Split split = run.data.test;
  if (!split.defined()) {
    mase::usage_error(fmt::format("Dataset {} has no test split", run.settings.text("dataset")), {},
                      "ch predict writes what the network says to its rows");
  }
  const std::int64_t batch_size = run.settings.integer("batch_size");
  if (run.settings.flag("to_debug")) split = first_rows(split, batch_size);
  const mase::engine::ProgramOptions options = run.program_options();
  const mase::engine::Engine& engine = run.engine(run.graph, options);
  if (run.dry_run()) {
    std::cout << fmt::format("would test '{}' on {} rows of {}\n", run.model_name(), split.rows(),
                             run.data.info.name);
    return 0;
  }
  run.phases.start("test");
  const mase::train::TestResult result =
      mase::train::test(run.graph, split, engine, batch_size, run.output(), options);
  run.phases.stop();
  if (run.json()) print_json(run, result, loaded);
  if (!result.nonfinite.empty()) {
    throw mase::Error(mase::ErrorKind::RunFailed, result.nonfinite);
  }
  run.complete("Testing");
  return 0;
}

}  // namespace ch
