#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/ir/optimiser_state.h"

// What runs a graph. A Program is a compiled graph with its own copy of the parameters; nothing
// above this interface knows which engine it holds. Results never depend on the thread count.
namespace mase::engine {

enum class Mode { Train, Eval };

enum class OptimiserKind { Adam, AdamW, Sgd };

struct OptimiserOptions {
  OptimiserKind kind = OptimiserKind::Adam;
  double learning_rate = 1e-5;
  double weight_decay = 0.0;  // L2 for Adam and SGD, decoupled for AdamW
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double momentum = 0.9;  // SGD
  bool nesterov = true;   // SGD
};

enum class Precision { Float32, Float64, BFloat16Mixed };

struct ProgramOptions {
  Precision precision = Precision::Float32;
  // At most so many; an engine takes fewer where more would change results (`torch` takes one).
  int threads = 1;
  // Seeds what is random inside the network (dropout): the stream depends on (seed, step) only, so
  // a resumed run draws what an uninterrupted one would have drawn.
  std::uint64_t seed = 0;
  // One order of summation on every processor: slower where the fast one is another. Engines that
  // cannot promise it say so in why_not().
  bool deterministic = false;
};

// Rows of a table, gathered by index. `features` is [N, ...] float32, `labels` [N] int64.
struct Batch {
  const ir::Tensor* features = nullptr;
  const ir::Tensor* labels = nullptr;
  std::span<const std::uint32_t> rows;
  std::span<const std::uint32_t> next_rows;  // what will be asked for next: a hint, may be empty
};

// Cross entropy (mean over the batch) of the logits and how many rows it decides rightly.
struct BatchResult {
  double loss = 0;
  std::int64_t correct = 0;
  std::int64_t count = 0;
};

struct StepOptions {
  double scale = 1.0;      // of the loss, before gradients: 1/n when n batches are accumulated
  bool update = true;      // false: only add to the gradients
  std::uint64_t step = 0;  // number of this batch since the start of training, for dropout
};

class Program {
 public:
  virtual ~Program() = default;

  // One output for the placeholders' values in order. Parameters are not changed; running
  // statistics only in Mode::Train. `step` seeds dropout in Mode::Train.
  virtual ir::Tensor forward(std::span<const ir::Tensor> inputs, Mode mode,
                             std::uint64_t step = 0) = 0;
  // As forward in the given mode, but returns the tensors that the named nodes read, before each of
  // them runs (data inputs in order). Running statistics are restored afterwards.
  virtual ir::Named<std::vector<ir::Tensor>> capture_inputs(std::span<const ir::Tensor> inputs,
                                                            std::span<const std::string> nodes,
                                                            Mode mode) = 0;
  // As above, the results of all nodes (plain values as they are).
  virtual ir::Named<ir::Value> capture_results(std::span<const ir::Tensor> inputs, Mode mode) = 0;

  // Training: call set_optimiser once, then steps. Gradients are zeroed after each update. A batch
  // whose loss is not finite changes no parameter, so that its cause can still be looked for, and
  // gradients that wait for an update are dropped with it.
  virtual void set_optimiser(const OptimiserOptions& options) = 0;
  virtual void set_learning_rate(double rate) = 0;
  virtual BatchResult train_step(const Batch& batch, const StepOptions& options) = 0;
  // Gradients of the loss of one batch in training mode, by parameter; changes nothing.
  virtual ir::State gradients(const Batch& batch) = 0;
  virtual BatchResult evaluate(const Batch& batch) = 0;  // Mode::Eval

  virtual ir::State state() const = 0;  // parameters and buffers, names and order of the graph
  virtual void load_state(const ir::State& state) = 0;  // names and shapes must match exactly
  virtual ir::OptimiserState optimiser_state() const = 0;
  virtual void load_optimiser_state(const ir::OptimiserState& state) = 0;

  // How the graph is computed, as text for people; empty where an engine has nothing to tell beyond
  // the graph.
  virtual std::string explain() { return ""; }
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;
  virtual std::string version() const = 0;  // "LibTorch 1.13.1, OpenBLAS"
  // What the last digits of its results depend on beside the options: the instruction set it
  // computes with here ("avx2"). Empty = nothing.
  virtual std::string instruction_set(const ProgramOptions&) const { return ""; }
  // Empty if the engine can run the graph, else why not, naming the first node.
  virtual std::string why_not(const ir::Graph& graph, const ProgramOptions& options) const = 0;
  // Throws Error{Unsupported} if it cannot, Error{Usage} if the graph's inputs are not typed where
  // the engine must know them (ops::type_inputs) or shapes do not fit.
  virtual std::unique_ptr<Program> compile(const ir::Graph& graph,
                                           const ProgramOptions& options = {}) const = 0;
};

// Engines by name, loaded when first asked for. `load_engine` throws Error{Unsupported} when this
// build does not have it, saying what that means for the user.
std::vector<std::string_view> engine_names();
const Engine& load_engine(std::string_view name);
// "auto": the first engine in engine_names() that can run the graph. `reason` says, for a log, why
// the ones before it could not.
struct Choice {
  const Engine* engine = nullptr;
  std::string reason;
};
Choice choose(const ir::Graph& graph, std::string_view wanted = "auto",
              const ProgramOptions& options = {});

// What a loadable engine module exports under the name "mase_engine".
using EngineEntry = const Engine* (*)();

}  // namespace mase::engine
