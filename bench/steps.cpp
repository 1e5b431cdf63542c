// Steps of an engine of this project, driven as mase::train drives it.
#include "bench/steps.h"

#include <memory>
#include <numeric>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/support/error.h"

namespace mase::bench {
namespace {

ir::Graph graph_of(const Network& network, Mode mode) {
  return is_quantised(mode) ? quantised(network.graph) : network.graph;
}

}  // namespace

std::function<void()> engine_steps(const std::string& engine, const Network& network,
                                   const Rows& rows, std::int64_t batch, Mode mode,
                                   bool deterministic) {
  std::shared_ptr<engine::Program> program = engine::load_engine(engine).compile(
      graph_of(network, mode), {.deterministic = deterministic});
  program->set_optimiser({.learning_rate = 1e-3});
  const auto size = static_cast<std::size_t>(batch);
  // Training shuffles; tests and validation read rows in order.
  std::vector<std::uint32_t> order = rows.order;
  if (!is_training(mode)) std::iota(order.begin(), order.end(), 0u);
  return [=, &rows, step = std::uint64_t{0}, first = std::size_t{0}]() mutable {
    const auto from = [&](std::size_t at) { return std::span(order).subspan(at, size); };
    const std::size_t next = first + 2 * size <= order.size() ? first + size : 0;
    const engine::Batch piece{.features = &rows.features,
                              .labels = &rows.labels,
                              .rows = from(first),
                              .next_rows = from(next)};
    first = next;
    if (is_training(mode)) {
      program->train_step(piece, {.step = step++});
    } else {
      program->evaluate(piece);
    }
  };
}

std::string engine_why_not(const std::string& engine, const Network& network, Mode mode) {
  try {
    return engine::load_engine(engine).why_not(graph_of(network, mode), {});
  } catch (const Error& error) {
    return error.message();  // this build does not have it
  }
}

}  // namespace mase::bench
