// The optimisers written out here against those of LibTorch.
#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include "mase/engine/torch/optimiser.h"
#include "mase/engine/torch/pch.h"

namespace mase::engine::torch_engine {
namespace {

std::unique_ptr<torch::optim::Optimizer> theirs(const OptimiserOptions& o, at::Tensor value) {
  using namespace torch::optim;
  switch (o.kind) {
    case OptimiserKind::Adam:
      return std::make_unique<Adam>(std::vector{value},
                                    AdamOptions(o.learning_rate).weight_decay(o.weight_decay));
    case OptimiserKind::AdamW:
      return std::make_unique<AdamW>(std::vector{value},
                                     AdamWOptions(o.learning_rate).weight_decay(o.weight_decay));
    case OptimiserKind::Sgd:
      return std::make_unique<SGD>(std::vector{value}, SGDOptions(o.learning_rate)
                                                           .momentum(o.momentum)
                                                           .weight_decay(o.weight_decay)
                                                           .nesterov(o.nesterov));
  }
  return nullptr;
}

// The largest difference after 50 steps on the same gradients.
double difference(const OptimiserOptions& options, at::ScalarType type) {
  at::manual_seed(1);
  const at::Tensor start = at::randn({37, 11}, type);
  at::Tensor reference = start.clone().set_requires_grad(true);
  const std::vector<Trained> ours = {{"w", start.clone().set_requires_grad(true)}};
  const auto optimiser = theirs(options, reference);
  Optimiser own;
  own.set_options(options, ours);
  for (int step = 0; step < 50; ++step) {
    const at::Tensor gradient = at::randn({37, 11}, type);
    reference.mutable_grad() = gradient.clone();
    ours[0].value.mutable_grad() = gradient.clone();
    optimiser->step();
    own.step(ours);
  }
  EXPECT_FALSE(ours[0].value.grad().defined()) << "gradients are dropped after an update";
  return (ours[0].value.detach() - reference.detach()).abs().max().item<double>();
}

TEST(Optimiser, StepsAsLibTorchs) {
  for (const double decay : {0.0, 0.01}) {
    for (const OptimiserOptions& options :
         {OptimiserOptions{
              .kind = OptimiserKind::Adam, .learning_rate = 0.01, .weight_decay = decay},
          OptimiserOptions{
              .kind = OptimiserKind::AdamW, .learning_rate = 0.01, .weight_decay = decay},
          OptimiserOptions{
              .kind = OptimiserKind::Sgd, .learning_rate = 0.01, .weight_decay = decay},
          OptimiserOptions{.kind = OptimiserKind::Sgd,
          .learning_rate = 0.01,
          .weight_decay = decay,
          .nesterov = false},
          OptimiserOptions{.kind = OptimiserKind::Sgd,
          .learning_rate = 0.01,
          .weight_decay = decay,
          .momentum = 0,
          .nesterov = false}}) {
      EXPECT_LT(difference(options, at::kFloat), 2e-6);
      EXPECT_LT(difference(options, at::kDouble), 1e-14);
    }
  }
}

TEST(Optimiser, AParameterWithoutGradientIsLeftAlone) {
  const std::vector<Trained> parameters = {{"used", at::ones({2}).set_requires_grad(true)},
                                           {"unused", at::ones({2}).set_requires_grad(true)}};
  Optimiser own;
  own.set_options({.learning_rate = 0.1, .weight_decay = 0.1}, parameters);
  parameters[0].value.mutable_grad() = at::ones({2});
  own.step(parameters);
  EXPECT_NE(parameters[0].value[0].item<float>(), 1.0f);
  EXPECT_EQ(parameters[1].value[0].item<float>(), 1.0f);
  ASSERT_EQ(own.state(parameters).size(), 1u);
  EXPECT_EQ(own.state(parameters)[0].parameter, "used");
}

}  // namespace
}  // namespace mase::engine::torch_engine
