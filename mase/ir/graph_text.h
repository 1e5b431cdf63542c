#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/support/result.h"

// The text form of a graph: what it computes, to be kept in files and compared by people. It holds
// everything but parameter values (those go beside it as safetensors) and metadata (TOML).
//
//   mase graph 2
//   graph 'jsc-tiny' class 'JSC_Tiny'
//   parameter 'seq_blocks.2.weight' float32 [5, 16]
//   buffer 'seq_blocks.0.running_mean' float32 [16]
//   node 'x' placeholder 'placeholder' 'x'
//     type float32 [16]
//   node 'seq_blocks_2' call_module 'linear' 'seq_blocks.2'
//     args (%seq_blocks_1,)
//     attributes {'in_features': 16, 'out_features': 5, 'bias': True}
//     precision 'weight' 'integer' {'frac_width': 4, 'is_signed': True, 'width': 8, ...}
//
// Lines of a node that would be empty are left out. Values are as Python writes them, and beside
// those %name (a node), <'int'> (a type), torch.float32, and tensor(float32, [2], '0000803f...').
namespace mase::ir {

std::string to_text(const Graph& graph);

struct ParameterLine {
  std::string name;
  Shape shape;
  DType dtype = DType::Float32;
  bool is_buffer = false;
};

// A graph as read from text: its parameters are named in `parameters`, not yet in `graph`.
struct GraphText {
  Graph graph;
  std::vector<ParameterLine> parameters;
};

// Never throws; a mistake is shown with its line and column. Allocates no more than the text's
// size class. The result still has to be verified (verify.h).
Result<GraphText> parse_graph(std::string_view text, const std::string& file_name = "");

// The graph with its parameter values. A ReadError names the first one that is missing, left over,
// or of another shape or type than the text says.
Result<Graph> with_parameters(GraphText text, const State& values);

// One value in the notation above.
std::string literal(const Value& value);
Result<Value> parse_literal(std::string_view text);

}  // namespace mase::ir
