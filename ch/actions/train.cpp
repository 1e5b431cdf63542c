// ch train MODEL DATASET
#include <fmt/format.h>

#include <iostream>

#include "ch/actions/actions.h"
#include "ch/load.h"
#include "ch/run.h"
#include "ch/setup.h"
#include "mase/io/graph/quantisation.h"
#include "mase/train/train.h"

namespace ch {

namespace train = mase::train;

namespace {

void print_plan(const Run& run, const train::FitOptions& options) {
  const std::int64_t rows = run.data.train.rows();
  const std::int64_t batches = rows / options.batch_size + (rows % options.batch_size > 0 ? 1 : 0);
  std::cout << fmt::format(
      "would train '{}' ({} parameters) on {} rows of {}: {} batches of {} per epoch, {} "
      "epochs\nwould write to {}\n",
      run.model_name(), run.graph.parameter_count(), run.data.train.rows(), run.data.info.name,
      batches, options.batch_size, options.max_epochs, run.folder.string());
}

// What is loaded before training. Going on replaces weights just loaded, so only one of the two can
// be meant; a graph (.mz) says what network the weights to go on with belong to.
std::optional<Checkpoint> find_start(Run& run) {
  const std::optional<Checkpoint> checkpoint = find_checkpoint(run.settings);
  if (!run.settings.has("resume")) return checkpoint;
  if (run.settings.flag("drop_quantisation")) {
    mase::usage_error(
        "--drop-quantisation and --resume cannot both be had: a run goes on as it was "
        "trained",
        {}, "its weights in a float network: --load its checkpoint instead");
  }
  if (checkpoint && checkpoint->type == "mz") {
    run.info(
        fmt::format("Of {} the graph alone is taken: its weights are those that --resume goes "
                    "on with",
                    checkpoint->path.string()));
  }
  if (!checkpoint || checkpoint->type == "mz") return checkpoint;
  const Setting& load = run.settings.at("load_name");
  if (!load.manual && run.settings.at("resume").manual) {
    run.warn(
        fmt::format("load_name = {} of {} is not used: --resume goes on with the weights of "
                    "its own checkpoint",
                    checkpoint->path.string(), load.where.file));
    return std::nullopt;
  }
  mase::usage_error(
      "--load and --resume cannot both be had: a run that goes on takes the weights "
      "of its own checkpoint",
      {.file = checkpoint->path.string()},
      "--resume alone goes on with a stopped run; --load alone starts a new one");
}

// The trained graphs of best.ckpt and last.ckpt, each whole: a checkpoint holds weights and number
// formats, but no other change of the network.
void save_graphs(const Run& run, const train::FitResult& result) {
  const std::filesystem::path folder = result.last_checkpoint.parent_path();
  run.save_graph(result.graph, folder / "transformed_ckpt_last");
  mase::ir::Graph best = result.graph;
  if (result.best_checkpoint.empty()) {
    run.warn("val_loss_epoch was never measured: transformed_ckpt holds the last weights, too");
  } else {
    mase::io::load_parameters(result.best_checkpoint, best);
  }
  run.save_graph(best, folder / "transformed_ckpt");
}

}  // namespace

int run_train(Invocation& invocation) {
  Run run(invocation);
  run.open();
  run.info(fmt::format("Training model '{}'...", run.model_name()));
  run.info(fmt::format("##### WEIGHT DECAY ##### {}", shown(run.settings.value("weight_decay"))));
  if (run.settings.text("training_optimizer") == "sgd" &&
      run.settings.number("weight_decay") != 0) {
    run.warn("weight_decay has no effect on sgd, whose weight decay is 0.0005");
  }
  const std::optional<Checkpoint> checkpoint = find_start(run);
  const bool dropped = run.settings.flag("drop_quantisation");
  if (checkpoint) {
    load_checkpoint(*checkpoint, run);
    run.info(fmt::format("'{}' checkpoint loaded before training", checkpoint->type));
  }

  const train::FitOptions options = fit_options(run.settings);
  run.graph = train::resumed_graph(std::move(run.graph), options, run.output());
  const mase::engine::ProgramOptions program = run.program_options();
  const mase::engine::Engine& engine = run.engine(run.graph, program);
  if (run.dry_run()) {
    print_plan(run, options);
    return 0;
  }
  run.phases.start("train");
  train::Output output = run.output();
  if (checkpoint && checkpoint->type != "mz") {
    output.not_again = {"--load", "--load-type"};
  }
  const train::FitResult result = train::fit(run.graph, run.data, engine, options, output);
  run.phases.stop();
  const bool transformed = checkpoint && checkpoint->type == "mz" && !dropped;
  const bool quantised = !mase::io::quantisation_of(result.graph).empty();
  if ((transformed || quantised) && !result.last_checkpoint.empty()) save_graphs(run, result);
  if (result.interrupted) return 128 + result.signal;
  run.complete("Training");
  return 0;
}

}  // namespace ch
