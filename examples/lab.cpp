// What the lab reports do in a notebook: data, model, checkpoint, graph, reports, statistics,
// quantise, compare two graphs, print precisions and codes, test.
//
//   lab CHECKPOINT [DATA]     a checkpoint of jsc-tiny; data: "jsc", or the path of a file
#include <fmt/format.h>

#include "mase/mase.h"

using namespace mase;

namespace {

void lab(const std::string& checkpoint, const std::string& source) {
  const data::DataSet jets = data::open(source);
  ir::Graph tiny = models::build("jsc-tiny", jets.info);
  fmt::print("{}\n", io::load_parameters(checkpoint, tiny));  // matched, missing, unexpected

  tiny = passes::add_metadata(std::move(tiny), *passes::batches(jets.train, 8)());
  fmt::print("{}", passes::report_graph(tiny));
  tiny = passes::profile_statistics(
      std::move(tiny),
      {.target_weight_nodes = {"linear"},
       .target_activation_nodes = {"relu"},
       .weight_statistics = {{"variance_precise"}},
       .activation_statistics = {{"range_quantile", {{"quantile", 0.97}}}},
       .num_samples = 32},
      passes::batches(jets.train, 8));
  fmt::print("{}\n", passes::report_node_meta_param(tiny, {.which = {"software"}}));
  fmt::print("{}\n", passes::report_flops(tiny));

  const ir::Graph fixed = passes::quantize(
      tiny, {.by = passes::By::Type, .rules = {{"linear", numerics::integer(8, 4)}}});
  fmt::print("{}\n", passes::summarize_quantization(tiny, fixed));
  const ir::Tensor row = jets.test.features.rows(0, 1);
  for (const auto& [before, after] : ir::zip(tiny, fixed)) {
    if (!after->is_quantised()) continue;
    fmt::print("{}: {} -> {}\n", after->name, ops::type_text(*before), ops::type_text(*after));
    for (const auto& [argument, precision] : after->precision) {
      fmt::print("  {:<9} {}\n", argument, precision.text());
    }
    fmt::print("  float     {}\n", ir::print_tensor(engine::call_layer(tiny, *before, row)));
    fmt::print("  quantised {}\n", ir::print_tensor(engine::call_layer(fixed, *after, row)));
    const auto weight = passes::quantised_parameter(fixed, *after, "weight");
    for (std::int64_t i = 0; i < 5; ++i) {
      fmt::print("  weight {}: {:7.4f} -> {:>7} = {:7.4f}\n", i, weight.values.at(i),
                 weight.code_text(i), weight.quantised.at(i));
    }
  }
  for (const ir::Graph& graph : {tiny, fixed}) {
    const auto result = train::test(graph, jets.test, *engine::choose(graph).engine, 128);
    fmt::print("{}\n", train::print_test_table(result, 80));
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) mase::usage_error("usage: lab CHECKPOINT [DATA]");
  lab(argv[1], argc > 2 ? argv[2] : "jsc");
} catch (const Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return exit_code(error.kind());
}
