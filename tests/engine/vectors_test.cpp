// Training runs and quantised evaluations of the original MASE, repeated.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "mase/engine/native/program.h"
#include "mase/io/arrays/npz.h"
#include "mase/models/model.h"
#include "tests/engine/networks.h"
#include "tests/engine/states.h"
#include "tests/shared_data.h"

namespace mase::engine {
namespace {

using test::array;
data::Info jets() {
  return {.name = "jsc", .num_classes = 5, .num_features = 16, .sample_shape = {16}};
}

ir::State read_arrays(const std::string& file) {
  return io::read_npz(shared_data() / "mase_runs" / file).or_throw();
}

// The state of `graph` with the arrays that stand under `prefix`.
ir::State with_prefix(const ir::Graph& graph, const ir::State& arrays, const std::string& prefix) {
  ir::State out = graph.state();
  for (auto& [name, value] : out) {
    if (const ir::Tensor* found = ir::find(arrays, prefix + name)) value = *found;
  }
  return out;
}

double largest_difference(const ir::Tensor& a, const ir::Tensor& b) {
  EXPECT_EQ(a.size(), b.size());
  double out = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a.at(i) - b.at(i));
    out = std::isnan(difference) ? INFINITY : std::max(out, difference);
  }
  return out;
}

struct Run {
  std::string model;
  std::string quantised;  // "", "linear", "linear+relu"
  std::string optimiser;
  Precision precision = Precision::Float32;
  double tolerance = 0;  // of every entry of the state and of the losses

  std::string name() const {
    return model + (quantised.empty() ? ".float." : ".int84_" + quantised + ".") + optimiser +
           (precision == Precision::Float64 ? ".float64" : ".float32");
  }
};

OptimiserOptions options_of(const std::string& optimiser) {
  if (optimiser == "sgd") {
    return {.kind = OptimiserKind::Sgd, .learning_rate = 1e-2, .weight_decay = 5e-4};
  }
  if (optimiser == "adamw") {
    return {.kind = OptimiserKind::AdamW, .learning_rate = 1e-2, .weight_decay = 0.01};
  }
  return {.kind = OptimiserKind::Adam, .learning_rate = 1e-2};
}

// A bias in front of a batch norm has gradient 0 up to rounding: it drifts with the noise, and the
// running mean behind it follows.
bool drifts(const ir::Graph& graph, const std::string& parameter) {
  const auto [path, entry] = ir::parent_name(parameter);
  for (const ir::Node& node : graph) {
    if (node.target != path) continue;
    if (node.op == "batch_norm1d") return entry == "running_mean";
    for (const std::string& user : graph.users(node.name)) {
      if (entry == "bias" && graph.node(user).op == "batch_norm1d") return true;
    }
  }
  return false;
}

class TrainVectors : public ::testing::TestWithParam<std::string> {};

void repeat(const std::string& engine, const Run& run, const ir::State& arrays) {
  SCOPED_TRACE(run.name());
  ir::Graph graph = models::build(run.model, jets());
  if (run.quantised.find("linear") != std::string::npos) {
    graph = test::quantised(std::move(graph), "linear", 8, 4);
  }
  if (run.quantised.find("relu") != std::string::npos) {
    graph = test::quantised(std::move(graph), "relu", 8, 4);
  }
  const ProgramOptions options{.precision = run.precision};
  if (!load_engine(engine).why_not(graph, options).empty()) return;  // native: no float64
  const auto program = load_engine(engine).compile(graph, options);
  program->set_optimiser(options_of(run.optimiser));
  program->load_state(with_prefix(graph, arrays, "init." + run.model + ".seed0."));
  const ir::Tensor features = array(arrays, "batches.x").reshaped({1280, 16});
  const ir::Tensor labels = array(arrays, "batches.y").reshaped({1280}).to(ir::DType::Int64);
  const ir::Tensor& losses = array(arrays, run.name() + ".losses");
  for (std::uint32_t step = 0; step < 20; ++step) {
    const auto rows = test::range(step * 64, 64);
    const Batch batch{.features = &features, .labels = &labels, .rows = rows, .next_rows = {}};
    if (step == 0 && run.optimiser == "adam") {
      for (const auto& [name, gradient] : program->gradients(batch)) {
        const ir::Tensor& expected = array(arrays, run.name() + ".grad1." + name);
        EXPECT_LT(largest_difference(gradient, expected), run.tolerance) << name;
      }
    }
    EXPECT_NEAR(program->train_step(batch, {.step = step}).loss, losses.at(step), run.tolerance);
    if (step == 0 || step == 1 || step == 4 || step == 19) {
      const std::string prefix = run.name() + ".step" + std::to_string(step + 1) + ".";
      for (const auto& [name, value] : program->state()) {
        const double tolerance = run.tolerance * (drifts(graph, name) ? 4 : 1);
        EXPECT_LT(largest_difference(value, array(arrays, prefix + name)), tolerance)
            << "step " << step + 1 << " " << name;
      }
    }
  }
  const ir::Tensor inputs[] = {features.rows(0, 64)};
  EXPECT_LT(largest_difference(program->forward(inputs, Mode::Eval),
                               array(arrays, run.name() + ".eval_logits")),
            10 * run.tolerance);
}

// float32 Adam turns the rounding noise of a bias in front of a batch norm into full steps, so
// Adam is compared in float64; SGD agrees in both.
TEST_P(TrainVectors, StepsEqualTheOriginals) {
  MASE_NEEDS_SHARED_DATA("mase_runs/vectors/train.npz");
  const ir::State arrays = read_arrays("vectors/train.npz");
  for (const char* model : {"jsc-toy", "jsc-s"}) {
    for (const char* quantised : {"", "linear"}) {
      repeat(GetParam(), {model, quantised, "sgd", Precision::Float32, 1e-6}, arrays);
      repeat(GetParam(), {model, quantised, "sgd", Precision::Float64, 1e-9}, arrays);
      for (const char* optimiser : {"adam", "adamw"}) {
        repeat(GetParam(), {model, quantised, optimiser, Precision::Float64, 1e-7}, arrays);
      }
    }
  }
  repeat(GetParam(), {"jsc-toy", "linear+relu", "adam", Precision::Float64, 1e-7}, arrays);
}

// The first largest logit of every row.
ir::Tensor decisions(const ir::Tensor& logits) {
  const std::int64_t classes = logits.dim(1);
  ir::Tensor out({logits.dim(0)}, ir::DType::Int64);
  for (std::int64_t row = 0; row < logits.dim(0); ++row) {
    std::int64_t best = 0;
    for (std::int64_t k = 1; k < classes; ++k) {
      if (logits.at(row * classes + k) > logits.at(row * classes + best)) best = k;
    }
    out.values_mut<std::int64_t>()[static_cast<std::size_t>(row)] = best;
  }
  return out;
}

TEST_P(TrainVectors, LogitsEqualTheOriginals) {
  MASE_NEEDS_SHARED_DATA("mase_runs/jsc_split_by_mase.npz");
  const ir::Tensor inputs[] = {array(read_arrays("jsc_split_by_mase.npz"), "X_test")};
  const std::pair<const char*, const char*> cases[] = {
      {"jsc-tiny_weights_and_logits.npz", "jsc-tiny"},
      {"toy_by_type_weights_and_logits.npz", "jsc-toy"}};
  for (const auto& [file, model] : cases) {
    SCOPED_TRACE(file);
    const ir::State arrays = read_arrays(file);
    const ir::Graph graph = models::build(model, jets());
    const auto plain = load_engine(GetParam()).compile(graph);
    plain->load_state(with_prefix(graph, arrays, "float."));
    EXPECT_LT(largest_difference(plain->forward(inputs, Mode::Eval), array(arrays, "logits_float")),
              1e-5);
    const auto quantised = load_engine(GetParam()).compile(test::quantised(graph, "linear", 8, 4));
    quantised->load_state(with_prefix(graph, arrays, "quant."));
    const ir::Tensor logits = quantised->forward(inputs, Mode::Eval);
    const ir::Tensor& expected = array(arrays, "logits_quant");
    EXPECT_LT(largest_difference(logits, expected), 1e-6);
    EXPECT_EQ(decisions(logits), decisions(expected));
    // With the original's decisions for labels, every row is right.
    const ir::Tensor labels = decisions(expected);
    const auto rows = test::range(0, static_cast<std::uint32_t>(labels.size()));
    const BatchResult result = quantised->evaluate(
        {.features = &inputs[0], .labels = &labels, .rows = rows, .next_rows = {}});
    EXPECT_EQ(result.correct, labels.size());
    // The native engine did all that with integers.
    const auto* native = dynamic_cast<const native::NativeProgram*>(quantised.get());
    EXPECT_EQ(native != nullptr, std::string(GetParam()) == "native");
    if (!native) continue;
    for (const std::string& line : native->integer_report()) {
      EXPECT_NE(line.find("8-bit codes"), std::string::npos) << line;
    }
  }
}

// A layer that a user's report prints in full: the float result to its four digits (the bias is
// recovered from them), the quantised one exactly.
TEST_P(TrainVectors, TheReportedLayerComesOutExactly) {
  std::ifstream file(std::string(MASE_SOURCE_DIR) + "/tests/golden/engine.json");
  const auto golden = nlohmann::json::parse(file)["linear_16_5"];
  ir::Graph graph = test::sequence({"Linear(16, 5)"});
  auto weight = graph.find_parameter("seq_blocks.0.weight")->value.values_mut<float>();
  auto bias = graph.find_parameter("seq_blocks.0.bias")->value.values_mut<float>();
  ir::Tensor x({1, 16}, ir::DType::Float32);
  for (std::size_t row = 0; row < 5; ++row) {
    bias[row] = golden["recovered_bias"][row];
    for (std::size_t k = 0; k < 16; ++k) weight[row * 16 + k] = golden["weight"][row][k];
  }
  for (std::size_t k = 0; k < 16; ++k) x.values_mut<float>()[k] = golden["input"][k];
  const ir::Tensor inputs[] = {x};
  const Engine& engine = load_engine(GetParam());
  const ir::Tensor plain = engine.compile(graph)->forward(inputs, Mode::Eval);
  const ir::Graph rounded = test::quantised(graph, "linear", golden["width"], golden["frac_width"]);
  const ir::Tensor quantised = engine.compile(rounded)->forward(inputs, Mode::Eval);
  for (int k = 0; k < 5; ++k) {
    EXPECT_NEAR(plain.at(k), golden["original_output"][k].get<double>(), 1e-3);
    EXPECT_EQ(quantised.at(k), golden["quantised_output_exact"][k].get<double>());
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, TrainVectors, ::testing::Values("native", "torch"));

}  // namespace
}  // namespace mase::engine
