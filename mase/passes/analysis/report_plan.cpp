// report_plan: how an engine computes the graph.
#include "mase/passes/analysis/report_plan.h"

#include <fmt/format.h>

#include <ostream>

#include "mase/ops/op.h"
#include "mase/passes/run_graph.h"

namespace mase::passes {
namespace {

PassResult run_report_plan(const ir::Graph& graph, const Options&, Context& context) {
  const std::string text = report_plan(graph, context.dummy_input, context.engine);
  context.output() << text;
  return {.graph = graph, .info = ir::Dict{{"plan", text}}, .hits = {}};
}

}  // namespace

std::string report_plan(const ir::Graph& graph, const ir::Named<ir::Tensor>& inputs,
                        std::string_view engine) {
  ir::Graph typed = graph;
  if (!ops::is_typed(graph)) ops::type_inputs(typed, inputs_in_order(graph, inputs));
  const engine::Choice choice = engine::choose(typed, engine);
  return fmt::format("Engine: {}\n{}", choice.engine->version(),
                     choice.engine->compile(typed)->explain());
}

const Pass kReportPlan{
    .name = "report_plan",
    .kind = PassKind::Analysis,
    .summary = "print how the engine computes the graph: steps, segments, memory, integers",
    .run = run_report_plan,
};

}  // namespace mase::passes
