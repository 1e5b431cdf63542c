#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mase/engine/native/kernels.h"
#include "mase/engine/native/plan_windows.h"
#include "mase/ir/graph.h"
#include "mase/numerics/format.h"

// A graph as the native engine runs it: values (arrays of features), fused steps over them, and
// the flat layout of its parameters. The plan knows nothing of batches or instruction sets.
namespace mase::engine::native {

// A tensor of the graph: [batch][features]. Value 0 is the input.
struct PlanValue {
  int features = 0;
  bool needs_gradient = false;
  // The value whose gradient buffer this one shares: steps that work element by element write the
  // gradient of their input over that of their output when nobody else reads the input.
  int gradient_home = 0;
};

// A trained tensor, at `offset` of the flat parameter array.
struct PlanParameter {
  std::string name;
  ir::Shape shape;
  std::int64_t offset = 0;
  std::int64_t count = 0;
};

// Batch norm. Indices are into Plan::parameters and Plan::buffers; -1 = not there.
struct PlanNorm {
  int channels = 0;
  int area = 1;  // features of a channel
  int gain = -1;
  int shift = -1;
  int running_mean = -1;
  int running_var = -1;
  int batches = -1;  // num_batches_tracked
  double epsilon = 1e-5;
  double momentum = 0.1;
};

// A number format on an edge, with the parameters that hold its state. What is a grid is part of
// other steps where it can be; everything else goes through the format's own kernels.
struct PlanFormat {
  numerics::Precision precision;
  std::vector<int> state;  // indices into Plan::parameters
  ir::Shape row;           // of data: the shape of a sample
};

enum class StepKind {
  Linear,       // out = quantised(w) a + quantised(b)
  Convolution,  // the same over sliding windows
  MaxPool,      // the largest entry of sliding windows
  AveragePool,
  Pointwise,  // out = quantise_out(activation(quantise_in(norm(a))))
  Affine,     // out = factor * a + offset, numbers
  Binary,     // out = a (op) b
  Softmax,    // over the features
  Dropout,    // out = a * mask / (1 - p) in training
  Quantise,   // any format, through its span kernel
};

struct PlanStep {
  StepKind kind = StepKind::Pointwise;
  std::string node;  // the graph's node, for messages
  int a = -1;
  int b = -1;
  int out = -1;
  int windows = -1;  // Convolution, poolings, Linear in narrow tiles: index into Plan::windows
  int weight = -1;   // Linear, Convolution: index of the parameter; bias may be -1
  int bias = -1;
  std::optional<PlanFormat> weight_format;
  std::optional<PlanFormat> bias_format;
  int norm = -1;  // Pointwise: index into Plan::norms
  Activation activation = Activation::None;
  float low = 0;
  float high = 0;
  std::optional<Grid> quantise_in;
  std::optional<Grid> quantise_out;
  float factor = 1;  // Affine
  float offset = 0;
  char op = '+';               // Binary
  double p = 0;                // Dropout
  std::uint64_t position = 0;  // Dropout: of the node in the graph
  PlanFormat format;           // Quantise
  bool accumulate_a = false;   // add to the gradient of a (of b) rather than set it
  bool accumulate_b = false;
};

// 256 samples keep the arrays of small networks within the second-level cache while weight
// gradients still add up many samples per lane.
inline constexpr int kTile = 256;
// Up to so many samples, adding up lanes would be most of the work of a linear layer's weight
// gradient, and its blocks would be too small.
inline constexpr int kNarrowTile = 32;

// Places in a tile and in a layer's weights are ints: a feature times the samples of a tile (and
// the gap behind them), a weight times the lanes of a vector. Below these limits they stay under
// 2^31; LibTorch is the better choice long before.
inline constexpr std::int64_t kMostFeatures = std::int64_t{1} << 22;  // of a value
inline constexpr std::int64_t kMostWeights = std::int64_t{1} << 27;   // of a layer

struct Plan {
  int tile = kTile;  // samples of a tile at most, a multiple of 16
  std::vector<PlanValue> values;
  std::vector<PlanStep> steps;
  std::vector<PlanNorm> norms;
  std::vector<PlanWindows> windows;
  std::vector<PlanParameter> parameters;  // those of the graph, used or not
  std::vector<ir::Parameter> buffers;     // initial values
  // The graph's parameters and buffers in the order of the state dictionary: (is buffer, index).
  std::vector<std::pair<bool, int>> state_order;
  std::int64_t flat_size = 0;                              // floats, padded to 16
  int result = 0;                                          // value of the logits
  std::vector<std::pair<std::string, int>> value_of_node;  // names to values, aliases included
};

// Why the engine cannot run a graph, naming the first node; "" if it can.
std::string why_not(const ir::Graph& graph);

// With `fuse`, neighbouring steps are merged (value_of_node then misses the values in between).
// Throws Error{Usage} when the input is not typed or shapes do not fit, Error{Unsupported} for what
// this engine does not cover: a layer that reads something other than [batch, features], more
// flowing through the graph than it takes.
Plan make_plan(const ir::Graph& graph, bool fuse = true);

// The grid of a precision whose codes lie in steps of a power of two around zero, to be rounded to
// the nearest; nullopt for any other.
std::optional<Grid> grid_of(const numerics::Precision& precision);

}  // namespace mase::engine::native
