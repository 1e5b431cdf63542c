// Layers as model files and printed graphs hold them: attributes that are complete, and a layer
// that prints as what it was read from; or a mistake of the user.
#include "fuzz/harness.h"
#include "mase/ir/graph.h"
#include "mase/ops/op.h"
#include "mase/support/random.h"

namespace {

using namespace mase;

// Whether the layer's parameters are few enough to make them for every input.
bool is_small(const ops::LayerText& layer) {
  constexpr double kMost = 1 << 12;
  double total = 0;
  if (layer.op->parameters == nullptr) return true;
  for (const ops::ParameterSpec& spec : layer.op->parameters(layer.attributes)) {
    double elements = 1;
    for (const std::int64_t size : spec.shape) elements *= static_cast<double>(size);
    fuzz::require(elements >= 0, "parameters have a shape");
    total += elements;
  }
  return total <= kMost;
}

std::string printed(const ops::LayerText& layer) {
  ir::Graph graph;
  Random random(1);
  ir::Node& node = ops::add_layer(graph, *layer.op, layer.attributes, "layer", "x", random);
  return ops::print_layer(node);
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  fuzz::passes([&] {
    const ops::LayerText layer = ops::parse_layer(fuzz::text_of(bytes));
    fuzz::require(layer.op != nullptr, "a layer has an op");
    fuzz::require(ops::complete_attributes(*layer.op, layer.attributes) == layer.attributes,
                  "complete attributes are complete");
    if (!is_small(layer)) return;
    const std::string text = printed(layer);
    const ops::LayerText again = ops::parse_layer(text);
    fuzz::require(again.op == layer.op && printed(again) == text, "read, printed, read");
  });
}
