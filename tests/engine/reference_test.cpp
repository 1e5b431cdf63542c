// The executor against the plain one: same plans, so that what differs is tiles, segments, fused
// passes and rounding.
#include "tests/engine/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "mase/engine/native/program.h"
#include "tests/engine/native_cases.h"
#include "tests/engine/networks.h"

namespace mase::engine {
namespace {

// Networks without windows: those are held to plain loops in window_cases.cpp.
std::vector<int> cases_without_windows() {
  const std::vector<test::NativeCase> cases = test::native_cases();
  std::vector<int> out;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const native::Plan plan = native::make_plan(cases[i].graph);
    if (plan.windows.empty()) out.push_back(static_cast<int>(i));
  }
  return out;
}

class ReferenceTest : public ::testing::TestWithParam<int> {};

// float32 against float64: a relative error of 2e-7 per layer (a few units in the last place) of
// values around one, and twenty times that for gradients behind batch norms of few rows. Formats
// round away errors unless a value lies within one of them of a boundary, which these data avoid.
TEST_P(ReferenceTest, PlansGiveWhatPlainLoopsGive) {
  const test::NativeCase network = test::native_cases()[static_cast<std::size_t>(GetParam())];
  for (const std::int64_t n : {2, 31, 256, 300, 700}) {
    SCOPED_TRACE(n);
    ir::Shape shape = network.sample;
    shape.insert(shape.begin(), n);
    const ir::Tensor features = test::random_tensor(shape, 31, -2, 2);
    ir::Tensor labels({n}, ir::DType::Int64);
    for (std::int64_t i = 0; i < n; ++i) labels.values_mut<std::int64_t>()[i] = i % 2;
    const auto rows = test::range(0, static_cast<std::uint32_t>(n));
    const Batch batch{.features = &features, .labels = &labels, .rows = rows, .next_rows = {}};

    const test::Reference evaluated = test::run_reference(
        native::make_plan(network.graph), network.graph, features, labels, Mode::Eval);
    native::NativeProgram program(network.graph, {.seed = 9}, native::kernels());
    const BatchResult result = program.evaluate(batch);
    EXPECT_NEAR(result.loss, evaluated.loss, 1e-6);
    EXPECT_EQ(result.correct, evaluated.correct);
    const ir::Tensor logits = program.forward({&features, 1}, Mode::Eval, 0);
    for (std::int64_t i = 0; i < logits.size(); ++i) {
      const double expected = evaluated.logits[static_cast<std::size_t>(i)];
      ASSERT_NEAR(logits.at(i), expected, 2e-6 * std::max(1.0, std::abs(expected))) << i;
    }

    const test::Reference trained = test::run_reference(
        native::make_plan(network.graph), network.graph, features, labels, Mode::Train, 9, 0);
    for (const auto& [name, gradient] : program.gradients(batch)) {
      const native::Plan plan = native::make_plan(network.graph);
      const auto row = std::find_if(plan.parameters.begin(), plan.parameters.end(),
                                    [&](const auto& p) { return p.name == name; });
      for (std::int64_t i = 0; i < gradient.size(); ++i) {
        const double expected = trained.gradient[static_cast<std::size_t>(row->offset + i)];
        ASSERT_NEAR(gradient.at(i), expected, n == 2 ? 1e-3 : 4e-6) << name << " " << i;
      }
    }
    program.forward({&features, 1}, Mode::Train, 0);
    for (const auto& [name, buffer] : trained.moved) {
      if (buffer.dtype() != ir::DType::Float32) continue;
      const ir::State state = program.state();
      const ir::Tensor& moved = *ir::find(state, name);
      for (std::int64_t i = 0; i < buffer.size(); ++i) {
        ASSERT_NEAR(moved.at(i), buffer.at(i), 2e-6 * std::max(1.0, std::abs(buffer.at(i))))
            << name;
      }
    }
  }
}

// So many rows that values are formed once more on the way back rather than kept; the sums of the
// float32 gradient are longer: 16 tiles of 1e-6 each at most.
TEST(Reference, LargeBatchesGiveWhatPlainLoopsGive) {
  const ir::Graph graph = test::jsc_toy();
  const native::Plan plan = native::make_plan(graph);
  const std::int64_t n = 4001;
  const ir::Tensor features = test::random_tensor({n, 16}, 31, -2, 2);
  ir::Tensor labels({n}, ir::DType::Int64);
  for (std::int64_t i = 0; i < n; ++i) labels.values_mut<std::int64_t>()[i] = i % 5;
  const auto rows = test::range(0, static_cast<std::uint32_t>(n));
  const Batch batch{.features = &features, .labels = &labels, .rows = rows, .next_rows = {}};
  const test::Reference trained =
      test::run_reference(plan, graph, features, labels, Mode::Train, 9, 0);
  native::NativeProgram program(graph, {.seed = 9}, native::kernels());
  const ir::State gradients = program.gradients(batch);
  for (const native::PlanParameter& parameter : plan.parameters) {
    const ir::Tensor& gradient = *ir::find(gradients, parameter.name);
    for (std::int64_t i = 0; i < gradient.size(); ++i) {
      const double expected = trained.gradient[static_cast<std::size_t>(parameter.offset + i)];
      ASSERT_NEAR(gradient.at(i), expected, 4e-6) << parameter.name << " " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ReferenceTest, ::testing::ValuesIn(cases_without_windows()),
                         [](const auto& info) {
                           return test::native_cases()[static_cast<std::size_t>(info.param)].name;
                         });

}  // namespace
}  // namespace mase::engine
