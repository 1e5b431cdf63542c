// [passes.quantize] on a network: what the check accepts either runs, or is a mistake of the user.
// What comes out holds, quantises any value, and goes through a checkpoint's dictionary unchanged.
#include "mase/passes/transform/quantize.h"

#include <array>
#include <limits>

#include "fuzz/harness.h"
#include "fuzz/network.h"
#include "mase/io/graph/quantisation.h"
#include "mase/io/text/toml.h"
#include "mase/ops/verify.h"

namespace {

using namespace mase;

void quantise_values(const numerics::Precision& precision) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr std::array kValues = {0.0f,
                                  -0.0f,
                                  1.0f,
                                  -1.5f,
                                  1e-45f,
                                  3e38f,
                                  kInf,
                                  -kInf,
                                  0.3f,
                                  127.5f,
                                  std::numeric_limits<float>::quiet_NaN(),
                                  -1e-30f};
  if (numerics::has_state(precision)) return;  // what it has learned is the network's
  const numerics::Edge edge = numerics::parameter_edge({3, 4});
  std::array<float, kValues.size()> out = {};
  numerics::quantise(precision, edge, kValues, out);
  std::array<float, kValues.size()> again = {};
  numerics::quantise(precision, edge, out, again);
  (void)numerics::out_of_range(precision, edge, kValues);
  fuzz::require(numerics::bits_per_element(precision, edge) > 0, "elements take bits");
}

void check(const ir::Graph& graph) {
  fuzz::require(ops::verify(graph).empty(), "the quantised network holds");
  for (const ir::Node& node : graph) {
    for (const auto& [argument, precision] : node.precision) quantise_values(precision);
  }
  const ir::Dict written = io::quantisation_of(graph);
  const auto again = io::with_quantisation(fuzz::network(), written, graph.state());
  fuzz::require(again.ok(), "what is written can be read");
  fuzz::require(io::quantisation_of(*again) == written, "read, written, read");
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  const auto file = io::parse_toml(fuzz::text_of(bytes), "input.toml");
  if (!file) return;
  fuzz::passes([&] {
    Diagnostics diagnostics;
    const auto options = passes::check_options(passes::kQuantize, file->to_value().as_dict(),
                                               {.file = "input.toml"}, diagnostics);
    diagnostics.throw_if_any();
    const passes::QuantizeOptions rules = passes::read_quantize_options(options, diagnostics);
    diagnostics.throw_if_any();
    check(passes::quantize(fuzz::network(), rules));
  });
}
