#pragma once

#include <string_view>

#include "ch/options/settings.h"
#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/ir/graph.h"
#include "mase/support/log.h"
#include "mase/train/train.h"

// What a run is made of, each a function of its settings alone: for one run, and for many at once.
namespace ch {

mase::LogLevel log_level(const Settings& settings);
// The network with its initial weights. Errors as of models::build.
mase::ir::Graph build_model(const Settings& settings);
// `log` gets the lines for the user. Errors as of data::open.
mase::data::DataSet open_data(const Settings& settings, const mase::data::LogSink& log);
mase::engine::ProgramOptions program_options(const Settings& settings);
mase::train::FitOptions fit_options(const Settings& settings);
// Every effective option by name, sorted: for hparams.yaml and run.json.
mase::ir::Dict hyper_parameters(const Settings& settings, std::string_view action);

}  // namespace ch
