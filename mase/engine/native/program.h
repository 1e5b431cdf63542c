#pragma once

#include <memory>
#include <optional>

#include "mase/engine/native/executor.h"
#include "mase/ops/op.h"

namespace mase::engine::native {

// A graph compiled for the native engine.
class NativeProgram : public Program {
 public:
  NativeProgram(const ir::Graph& graph, const ProgramOptions& options, const Kernels& kernels,
                const IntegerOptions& integer = integer_options());

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

  // How each linear layer was evaluated last, a line each; empty before the first evaluation.
  std::vector<std::string> integer_report() const;

 private:
  // The input as a batch: itself, or one sample that came without one in front.
  ir::Tensor batch_of(const ir::Tensor& input) const;
  [[noreturn]] void refuse(const ir::Tensor& input) const;
  // The types of all nodes' results; the output comes last.
  ir::Named<ops::ValueType> types_for(const ir::Tensor& input) const;
  Rows rows_of(const Batch& batch);
  void take_labels(const ir::Tensor& labels);
  void update();
  ir::Tensor tensor_of(const float* flat, const PlanParameter& parameter) const;

  ir::Graph graph_;
  ProgramOptions options_;
  const Kernels& kernels_;
  IntegerOptions integer_;
  OptimiserOptions optimiser_;
  double rate_ = 0;
  std::int64_t updates_ = 0;  // optimiser steps done
  Plan plan_;
  ir::Shape sample_;  // what a row of the input looks like
  Executor executor_;
  Weights weights_;
  FloatArray gradient_;
  FloatArray first_moment_;   // Adam's exp_avg, SGD's momentum_buffer
  FloatArray second_moment_;  // Adam's exp_avg_sq
  // Labels as bytes, converted once per table. The table is kept, so that it is not mistaken for
  // another at the same address.
  ir::Tensor labels_of_;
  std::vector<std::uint8_t> labels_;
};

}  // namespace mase::engine::native
