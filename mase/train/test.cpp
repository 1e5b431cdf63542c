// Testing: one pass over a split in evaluation mode, a table, a log entry.
#include <fmt/format.h>

#include <ostream>

#include "mase/io/events/tensorboard.h"
#include "mase/ops/op.h"
#include "mase/support/error.h"
#include "mase/train/bar.h"
#include "mase/train/evaluate.h"
#include "mase/train/metrics_log.h"
#include "mase/train/nonfinite.h"
#include "mase/train/run_folder.h"
#include "mase/train/train.h"

namespace mase::train {

namespace {

// A version folder of its own, as Lightning gives every test.
void log_result(const TestResult& result, const Output& output) {
  const std::filesystem::path folder = version_folder(output.folder, create_version(output.folder));
  io::EventWriter events(folder);
  log_hyper_parameters(folder, events, output.hyper_parameters);
  events.scalar("test_acc_epoch", result.accuracy, 0);
  events.scalar("test_loss_epoch", result.loss, 0);
  events.scalar("epoch", 0, 0);
  events.end_session(true);
  events.flush();
}

std::string cause_of(const Evaluation& done, const ir::Graph& graph, engine::Program& program,
                     const data::Split& split, const data::Loader& loader) {
  if (done.nonfinite < 0) return "";
  const NonFinite origin =
      find_nonfinite(graph, program, split, loader.batch(done.nonfinite), engine::Mode::Eval);
  return fmt::format("the loss is not finite in batch {}: {}", done.nonfinite, origin.cause);
}

}  // namespace

TestResult test(const ir::Graph& graph, const data::Split& split, const engine::Engine& engine,
                std::int64_t batch_size, const Output& output,
                const engine::ProgramOptions& options) {
  if (batch_size < 1) usage_error(fmt::format("batch_size must be at least 1, not {}", batch_size));
  if (split.rows() == 0) usage_error("there are no rows to test on");
  ir::Graph typed = graph;
  ops::type_inputs(typed, {&split.features, 1});
  const auto program = engine.compile(typed, options);
  data::Loader loader(split.rows(), batch_size, false, 0);
  Bar bar(output.bars, "Testing DataLoader 0", loader.batches(), {});
  const Evaluation done = evaluate(*program, split, loader, bar);
  bar.finish(done.batches);
  const TestResult result{.accuracy = done.metrics.accuracy(),
                          .loss = done.metrics.loss.value(),
                          .rows = done.metrics.total,
                          .nonfinite = cause_of(done, graph, *program, split, loader)};
  if (!output.folder.empty()) log_result(result, output);
  if (output.out) *output.out << print_test_table(result, output.width) << std::flush;
  return result;
}

}  // namespace mase::train
