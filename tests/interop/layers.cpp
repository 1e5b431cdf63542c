// interop_layers FILE: reads a layer a line as PyTorch prints it; writes for each the same line as
// we print it and its parameters, "name [shape] ...", on the next.
#include <fmt/format.h>

#include <fstream>
#include <string>

#include "mase/ops/op.h"
#include "mase/support/error.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream in(argv[1]);
  try {
    for (std::string line; std::getline(in, line);) {
      const mase::ops::LayerText layer = mase::ops::parse_layer(line);
      const mase::ir::Node node{.name = "n",
                                .kind = mase::ir::NodeKind::CallModule,
                                .op = std::string(layer.op->name),
                                .target = "n",
                                .attributes = layer.attributes};
      std::string parameters;
      if (layer.op->parameters) {
        for (const auto& spec : layer.op->parameters(layer.attributes)) {
          parameters += fmt::format("{} {} ", spec.name, mase::ir::text(spec.shape));
        }
      }
      fmt::print("{}\n{}\n", mase::ops::print_layer(node), parameters);
    }
  } catch (const mase::Error& error) {
    fmt::print(stderr, "{}\n", error.text());
    return mase::exit_code(error.kind());
  }
  return 0;
}
