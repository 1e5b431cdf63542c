// Every listed number format on every kind of edge, on both engines: values, gradients, training.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mase/engine/engine.h"
#include "mase/ir/format_state.h"
#include "mase/support/error.h"
#include "tests/engine/networks.h"
#include "tests/engine/states.h"
#include "tests/numerics/formats.h"

namespace mase::engine {
namespace {

ir::Graph dense_network() {
  return test::sequence({"BatchNorm1d(16)", "ReLU()", "Linear(16, 21)", "ReLU()", "Linear(21, 5)"});
}

ir::Graph image_network() {
  return test::sequence({"Conv2d(2, 3, 3)", "ReLU()", "Flatten()", "Linear(108, 5)"});
}

// The format on every argument and result that may have one, its state begun with the parameters
// and with random data.
ir::Graph with_format(ir::Graph graph, const numerics::Precision& precision,
                      const ir::Shape& sample) {
  for (ir::Node& node : graph.nodes_mut()) {
    const ops::Op* op = ops::find_op_of(node);
    if (!op || op->quantisable.empty()) continue;
    for (const std::string_view argument : op->quantisable) {
      node.precision.emplace_back(argument, precision);
    }
    if (node.op == "linear") node.precision.emplace_back(ops::kResult, precision);
  }
  graph = test::typed(std::move(graph), sample);
  const auto types = ops::infer_types(graph, 8);
  ir::add_format_states(graph, {.seen = [&](const ir::Node& node, std::string_view argument) {
                          const std::string of =
                              argument == ops::kResult ? node.name : node.inputs().at(0);
                          return std::optional(test::random_tensor(
                              std::get<ops::TensorType>(*ir::find(types, of)).shape, 3));
                        }});
  return graph;
}

struct Case {
  std::string name;
  ir::Graph graph;
  ir::Shape sample;
};

std::vector<Case> cases_of(const numerics::Format& format) {
  std::vector<Case> cases;
  for (const numerics::Precision& precision : numerics::test::some_precisions(format)) {
    cases.push_back({precision.full_text(), with_format(dense_network(), precision, {16}), {16}});
    cases.push_back({precision.full_text() + " on images",
                     with_format(image_network(), precision, {2, 8, 8}),
                     {2, 8, 8}});
  }
  return cases;
}

class FormatsOnEngines : public ::testing::TestWithParam<const numerics::Format*> {
 protected:
  void draw(const ir::Shape& sample) {
    ir::Shape shape = sample;
    shape.insert(shape.begin(), kRows);
    features_ = test::random_tensor(shape, 7, -2, 2);
    labels_ = ir::Tensor({kRows}, ir::DType::Int64);
    Random random(5);
    for (auto& label : labels_.values_mut<std::int64_t>()) label = random.up_to(4);
    rows_ = test::range(0, kRows);
  }
  Batch batch() const { return {.features = &features_, .labels = &labels_, .rows = rows_}; }

  static constexpr std::int64_t kRows = 300;  // more than a tile
  ir::Tensor features_;
  ir::Tensor labels_;
  std::vector<std::uint32_t> rows_;
};

std::string name_of(const ::testing::TestParamInfo<const numerics::Format*>& info) {
  return std::string(info.param->name);
}
INSTANTIATE_TEST_SUITE_P(Listed, FormatsOnEngines, ::testing::ValuesIn(numerics::formats()),
                         name_of);

// How far two tensors are apart, in units of the larger's largest element, but for one element in
// two hundred: a sum that both engines round differently may fall on two sides of a rounding
// boundary, which moves what follows by a step.
double apart(const ir::Tensor& a, const ir::Tensor& b) {
  std::vector<double> differences;
  double largest = 1e-3;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    differences.push_back(std::abs(a.at(i) - b.at(i)));
    largest = std::max(largest, std::abs(b.at(i)));
  }
  std::sort(differences.begin(), differences.end());
  return differences.empty() ? 0 : differences[differences.size() * 199 / 200] / largest;
}

TEST_P(FormatsOnEngines, GiveTheSameValues) {
  for (const Case& c : cases_of(*GetParam())) {
    draw(c.sample);
    const auto native = load_engine("native").compile(c.graph);
    const auto torch = load_engine("torch").compile(c.graph);
    const ir::Tensor a = native->forward({&features_, 1}, Mode::Eval, 0);
    const ir::Tensor b = torch->forward({&features_, 1}, Mode::Eval, 0);
    ASSERT_EQ(a.shape(), b.shape());
    EXPECT_LE(apart(a, b), 1e-5) << c.name;
  }
}

// Steps of a learned format sum over the whole batch, so they see those few elements.
TEST_P(FormatsOnEngines, GiveTheSameGradients) {
  for (const Case& c : cases_of(*GetParam())) {
    draw(c.sample);
    const ir::State a = load_engine("native").compile(c.graph)->gradients(batch());
    const ir::State b = load_engine("torch").compile(c.graph)->gradients(batch());
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(a[i].first, b[i].first);
      EXPECT_LE(apart(a[i].second, b[i].second), 0.05) << c.name << " " << a[i].first;
      const auto values = a[i].second.values<float>();
      EXPECT_TRUE(
          std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }));
    }
  }
}

TEST_P(FormatsOnEngines, Learn) {
  for (const char* engine : {"native", "torch"}) {
    for (const Case& c : cases_of(*GetParam())) {
      // Codes that wrap around jump from one end to the other: no gradient knows that.
      const bool wraps = c.name.find("wrap") != std::string::npos;
      if (c.sample.size() > 1 || wraps) continue;
      const test::Data data = test::classes(kRows);
      const Batch all{.features = &data.features,
                      .labels = &data.labels,
                      .rows = rows_ = test::range(0, kRows)};
      const auto program = load_engine(engine).compile(c.graph);
      program->set_optimiser({.kind = OptimiserKind::Adam, .learning_rate = 0.02});
      const ir::State before = program->state();
      const double first = program->train_step(all, {}).loss;
      for (std::uint64_t step = 1; step < 40; ++step) program->train_step(all, {.step = step});
      EXPECT_LT(program->evaluate(all).loss, first) << engine << " " << c.name;
      const ir::State after = program->state();
      for (const ir::FormatState& state : ir::format_states(c.graph)) {
        EXPECT_FALSE(ir::find(before, state.name)->values<float>()[0] ==
                     ir::find(after, state.name)->values<float>()[0])
            << engine << " " << state.name << " was not trained";
      }
    }
  }
}

// Batches that wait for an update add up to one of their size.
TEST_P(FormatsOnEngines, AccumulateGradients) {
  const numerics::Precision precision = numerics::test::some_precisions(*GetParam())[0];
  const ir::Graph graph =
      with_format(test::sequence({"Linear(16, 8)", "ReLU()", "Linear(8, 5)"}), precision, {16});
  draw({16});
  for (const char* engine : {"native", "torch"}) {
    const auto whole = load_engine(engine).compile(graph);
    const auto parts = load_engine(engine).compile(graph);
    for (Program* program : {whole.get(), parts.get()}) {
      program->set_optimiser({.kind = OptimiserKind::Sgd, .learning_rate = 0.1});
    }
    whole->train_step(batch(), {});
    const std::span<const std::uint32_t> rows = rows_;
    for (int part = 0; part < 2; ++part) {
      const Batch half{.features = &features_,
                       .labels = &labels_,
                       .rows = rows.subspan(static_cast<std::size_t>(part) * kRows / 2, kRows / 2)};
      parts->train_step(half, {.scale = 0.5, .update = part == 1});
    }
    const ir::State a = whole->state();
    const ir::State b = parts->state();
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_LE(apart(a[i].second, b[i].second), 1e-5) << engine << " " << a[i].first;
    }
  }
}

TEST(FormatState, ThatDoesNotFitIsRefused) {
  const numerics::Precision precision =
      numerics::make_precision("lsq_integer", {{"width", 4}, {"granularity", "channel"}});
  ir::Graph graph = with_format(dense_network(), precision, {16});
  graph.find_parameter("seq_blocks.2.data_in_0_step")->value = ir::Tensor({3}, ir::DType::Float32);
  const ir::Tensor x = test::random_tensor({4, 16}, 1);
  for (const char* engine : {"native", "torch"}) {
    EXPECT_THROW(load_engine(engine).compile(graph)->forward({&x, 1}, Mode::Eval, 0), Error)
        << engine;
  }
}

}  // namespace
}  // namespace mase::engine
