// A project outside of the source tree: builds against the installed library and uses it.
#include <fmt/format.h>

#include "mase/mase.h"

int main() {
  mase::ir::Graph graph("net", "Net");
  graph.add(
      {.name = "x", .kind = mase::ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  const mase::numerics::Precision precision = mase::numerics::integer(8, 4);
  const float value = -0.2631f;
  const auto codes = mase::numerics::encode(precision, {}, {&value, 1});
  fmt::print("{}\n{} {}\n", mase::ir::print(graph), precision.text(), codes.elements[0]);
  return codes.elements[0] == -4 ? 0 : 1;
}
