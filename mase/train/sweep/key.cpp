// The name of a run by content: the start of the SHA-256 of a text that lists all that decides it.
#include "mase/train/sweep/key.h"

#include <fmt/format.h>

#include <span>

#include "mase/ir/graph_text.h"
#include "mase/support/sha256.h"
#include "mase/train/snapshot.h"

namespace mase::train {
namespace {

constexpr std::size_t kDigits = 16;

std::string hash_of(std::string_view text) {
  return sha256(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace

std::string run_key(const SweepRun& run, const ir::Graph& graph, const engine::Engine& engine) {
  RunFacts facts;
  facts.options = &run.fit;
  facts.train_rows = run.data->train.rows();
  facts.data_hash = run.data->hash;
  facts.engine = std::string(engine.name());
  facts.instruction_set = engine.instruction_set({.deterministic = run.fit.deterministic});
  std::string text = fmt::format("mase {}\n{}\n", MASE_VERSION, ir::repr(course_of(facts)));
  text += fmt::format("max_steps {} one_batch {} stop_on_nan {}\n", run.fit.max_steps,
                      run.fit.one_batch, run.fit.stop_on_nan);
  // Beyond the name of the optimiser and its rate, which a library's caller may set.
  const engine::OptimiserOptions& o = run.fit.optimiser;
  text += fmt::format("betas {} {} epsilon {} momentum {} nesterov {}\n", o.beta1, o.beta2,
                      o.epsilon, o.momentum, o.nesterov);
  text += fmt::format("rows {} {}\n", run.data->validation.rows(), run.data->test.rows());
  text += ir::to_text(graph);
  for (const auto& [name, value] : graph.state()) {
    text += fmt::format("{} {}\n", name, sha256({value.data(), value.bytes()}));
  }
  return hash_of(text).substr(0, kDigits);
}

}  // namespace mase::train
