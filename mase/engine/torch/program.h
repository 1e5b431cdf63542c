#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/engine/torch/optimiser.h"
#include "mase/engine/torch/plan.h"

// A compiled graph with its own copy of the parameters.
namespace mase::engine::torch_engine {

class TorchProgram final : public Program {
 public:
  TorchProgram(const ir::Graph& graph, const ProgramOptions& options);

  ir::Tensor forward(std::span<const ir::Tensor> inputs, Mode mode, std::uint64_t step) override;
  ir::Named<std::vector<ir::Tensor>> capture_inputs(std::span<const ir::Tensor> inputs,
                                                    std::span<const std::string> nodes,
                                                    Mode mode) override;
  ir::Named<ir::Value> capture_results(std::span<const ir::Tensor> inputs, Mode mode) override;

  void set_optimiser(const OptimiserOptions& options) override;
  void set_learning_rate(double rate) override;
  BatchResult train_step(const Batch& batch, const StepOptions& options) override;
  ir::State gradients(const Batch& batch) override;
  BatchResult evaluate(const Batch& batch) override;

  ir::State state() const override;
  void load_state(const ir::State& state) override;
  ir::OptimiserState optimiser_state() const override;
  void load_optimiser_state(const ir::OptimiserState& state) override;
  std::string explain() override;

 private:
  struct Rows {  // a gathered batch
    at::Tensor features;
    at::Tensor labels;
  };
  struct Judged {  // logits against labels
    at::Tensor loss;
    BatchResult result;
  };
  class KeepBuffers;  // puts running statistics back at the end of a scope

  Rows gather(const Batch& batch) const;
  Frame frame(std::span<const at::Tensor> inputs, Mode mode, std::uint64_t step) const;
  Frame frame(std::span<const ir::Tensor> inputs, Mode mode, std::uint64_t step) const;
  Judged judge(const Rows& rows, Mode mode, std::uint64_t step) const;
  at::Tensor as_input(at::Tensor value) const;
  // Throws Error{Usage}, naming the node, for inputs that a layer cannot read.
  void check_shapes(std::span<const ir::Tensor> inputs) const;

  ir::Graph graph_;  // its shape rules; parameters are those below
  Plan plan_;
  ProgramOptions options_;
  mutable std::vector<ir::Shape> checked_;  // of the inputs that came last
  at::ScalarType type_ = at::kFloat;
  std::vector<std::string> names_;  // of parameters and buffers, order of the graph
  std::vector<at::Tensor> tensors_;
  std::vector<std::size_t> buffers_;  // positions in tensors_
  std::vector<Trained> trained_;      // share their bytes with tensors_
  std::vector<std::string> inputs_;   // names of the placeholders
  std::vector<std::string> nodes_;    // names of all nodes
  Optimiser optimiser_;
};

}  // namespace mase::engine::torch_engine
