#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "mase/engine/engine.h"

// An engine that does something of the test's choice before the n-th training step or evaluation,
// and else is the engine it wraps.
namespace mase::train::testing {

struct Hooks {
  std::function<void(int)> before_step = nullptr;      // number of the training step, from 0
  std::function<void(int)> before_evaluate = nullptr;  // number of the evaluation, from 0
};

class HookProgram final : public engine::Program {
 public:
  HookProgram(std::unique_ptr<engine::Program> inner, Hooks hooks)
      : inner_(std::move(inner)), hooks_(std::move(hooks)) {}

  ir::Tensor forward(std::span<const ir::Tensor> inputs, engine::Mode mode,
                     std::uint64_t step) override {
    return inner_->forward(inputs, mode, step);
  }
  ir::Named<std::vector<ir::Tensor>> capture_inputs(std::span<const ir::Tensor> inputs,
                                                    std::span<const std::string> nodes,
                                                    engine::Mode mode) override {
    return inner_->capture_inputs(inputs, nodes, mode);
  }
  ir::Named<ir::Value> capture_results(std::span<const ir::Tensor> inputs,
                                       engine::Mode mode) override {
    return inner_->capture_results(inputs, mode);
  }
  void set_optimiser(const engine::OptimiserOptions& options) override {
    inner_->set_optimiser(options);
  }
  void set_learning_rate(double rate) override { inner_->set_learning_rate(rate); }
  engine::BatchResult train_step(const engine::Batch& batch,
                                 const engine::StepOptions& options) override {
    if (hooks_.before_step) hooks_.before_step(steps_);
    ++steps_;
    return inner_->train_step(batch, options);
  }
  ir::State gradients(const engine::Batch& batch) override { return inner_->gradients(batch); }
  engine::BatchResult evaluate(const engine::Batch& batch) override {
    if (hooks_.before_evaluate) hooks_.before_evaluate(evaluations_);
    ++evaluations_;
    return inner_->evaluate(batch);
  }
  ir::State state() const override { return inner_->state(); }
  void load_state(const ir::State& state) override { inner_->load_state(state); }
  ir::OptimiserState optimiser_state() const override { return inner_->optimiser_state(); }
  void load_optimiser_state(const ir::OptimiserState& state) override {
    inner_->load_optimiser_state(state);
  }

 private:
  std::unique_ptr<engine::Program> inner_;
  Hooks hooks_;
  int steps_ = 0;
  int evaluations_ = 0;
};

class HookEngine final : public engine::Engine {
 public:
  HookEngine(const engine::Engine& inner, Hooks hooks) : inner_(inner), hooks_(std::move(hooks)) {}

  std::string_view name() const override { return inner_.name(); }
  std::string version() const override { return inner_.version(); }
  std::string why_not(const ir::Graph& graph,
                      const engine::ProgramOptions& options) const override {
    return inner_.why_not(graph, options);
  }
  std::unique_ptr<engine::Program> compile(const ir::Graph& graph,
                                           const engine::ProgramOptions& options) const override {
    return std::make_unique<HookProgram>(inner_.compile(graph, options), hooks_);
  }

 private:
  const engine::Engine& inner_;
  Hooks hooks_;
};

}  // namespace mase::train::testing
