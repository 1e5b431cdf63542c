// Convolutions and poolings: the original's layers repeated, LeNet-5 on both engines, and where the
// native engine leaves them to LibTorch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "mase/engine/native/kernels.h"
#include "mase/engine/native/program.h"
#include "mase/io/arrays/npz.h"
#include "mase/models/model.h"
#include "mase/support/error.h"
#include "tests/engine/json_attribute.h"
#include "tests/engine/networks.h"
#include "tests/engine/states.h"
#include "tests/shared_data.h"

namespace mase::engine {
namespace {

using test::array;
using test::batch_of;
using test::distance;
using ::testing::HasSubstr;

// The layer of a case, with its parameters and formats.
ir::Graph layer_of(const nlohmann::json& c, const ops::Op& op, const ir::State& arrays) {
  ir::Graph graph = test::with_input();
  ir::Dict given;
  for (const auto& [name, value] : c["constructor"].items()) {
    given.emplace_back(name, test::attribute(value));
  }
  Random random(0);
  ir::Node& node = ops::add_layer(graph, op, given, "layer", "x", random);
  const nlohmann::json& config = c["config"];
  for (std::string_view argument : op.quantisable) {
    const std::string group(argument == "data_in_0" ? "data_in" : argument);
    if (!config.contains(group + "_width") || !node.attribute("bias")) continue;
    node.precision.emplace_back(
        argument, numerics::integer(config[group + "_width"], config[group + "_frac_width"]));
  }
  for (ir::Parameter& parameter : graph.parameters_mut()) {
    const std::string name = ir::parent_name(parameter.name).second;
    parameter.value = array(arrays, c["params"][name].get<std::string>());
  }
  test::finish(graph, node.name);
  return graph;
}

class WindowVectors : public ::testing::TestWithParam<std::string> {};

// Sums of products of 8-bit numbers are exact in float32, so only the last sum with unquantised
// numbers rounds.
TEST_P(WindowVectors, LayersGiveWhatTheOriginalsGive) {
  MASE_NEEDS_SHARED_DATA("mase_runs/vectors/layers.npz");
  const auto folder = shared_data() / "mase_runs" / "vectors";
  const ir::State arrays = io::read_npz(folder / "layers.npz").or_throw();
  const auto cases = nlohmann::json::parse(std::ifstream(folder / "layers.json"))["cases"];
  int compared = 0;
  for (const nlohmann::json& c : cases) {
    if (!c.contains("layer") || !c.contains("output") || !c.contains("constructor")) continue;
    const std::string name = c["layer"];
    const std::size_t cut = name.rfind("_integer");
    const bool bypass = c["config"].value("bypass", false);
    if (cut == std::string::npos || !(name.find("conv") == 0 || (bypass && name.find("pool") > 0)))
      continue;
    const ops::Op* op = ops::find_op(name.substr(0, cut));
    if (!op || (op->layer != "Conv1d" && op->layer != "Conv2d" && !bypass)) continue;
    SCOPED_TRACE(c["id"].get<std::string>() + " " + name);
    const ir::Tensor input = array(arrays, c["input0"]);
    ir::Graph graph = layer_of(c, *op, arrays);
    ops::type_inputs(graph, {&input, 1});
    if (!load_engine(GetParam()).why_not(graph, {}).empty()) continue;
    const ir::Tensor result =
        load_engine(GetParam()).compile(graph)->forward({&input, 1}, Mode::Eval);
    const ir::Tensor& expected = array(arrays, c["output"]);
    ASSERT_EQ(result.shape(), expected.shape());
    for (std::int64_t i = 0; i < result.size(); ++i) {
      ASSERT_NEAR(result.at(i), expected.at(i), 1e-6 * (1 + std::abs(expected.at(i)))) << i;
    }
    ++compared;
  }
  EXPECT_GE(compared, GetParam() == "torch" ? 9 : 8);
}

data::Info digits() {
  return {.name = "mnist",
          .task = data::Task::ImageClassification,
          .num_classes = 10,
          .num_features = 784,
          .sample_shape = {1, 28, 28}};
}

test::Data random_digits(std::int64_t count) {
  test::Data out{.features = test::random_tensor({count, 1, 28, 28}, 3, 0, 1),
                 .labels = ir::Tensor({count}, ir::DType::Int64)};
  Random random(4);
  for (auto& label : out.labels.values_mut<std::int64_t>()) label = random.up_to(9);
  return out;
}

// As close to float64 as LibTorch's float32, or 2e-7: see native_test.cpp.
TEST(Lenet5, GradientsOfEveryBatchSizeAreAsCloseToFloat64AsLibTorchs) {
  const ir::Graph graph = models::build("lenet5", digits());
  const test::Data data = random_digits(70);
  for (const std::uint32_t count : {1u, 5u, 16u, 33u, 70u}) {
    const auto rows = test::range(0, count);
    const auto gradients = [&](const char* engine, Precision precision) {
      return load_engine(engine)
          .compile(graph, {.precision = precision})
          ->gradients(batch_of(data, rows));
    };
    const ir::State exact = gradients("torch", Precision::Float64);
    const double theirs = distance(gradients("torch", Precision::Float32), exact);
    EXPECT_LE(distance(gradients("native", Precision::Float32), exact), std::max(2e-7, 3 * theirs))
        << count;
  }
}

TEST(Lenet5, InstructionSetsAgree) {
  const ir::Graph graph = models::build("lenet5", digits());
  const test::Data data = random_digits(40);
  const auto rows = test::range(0, 40);
  const native::Kernels* portable = native::find_kernels("portable");
  ASSERT_NE(portable, nullptr);
  native::NativeProgram plain(graph, {}, *portable);
  const ir::State expected = plain.gradients(batch_of(data, rows));
  for (const char* name : {"avx2", "avx512"}) {
    const native::Kernels* kernels = native::find_kernels(name);
    if (!kernels) continue;  // this machine does not have it
    native::NativeProgram fast(graph, {}, *kernels);
    EXPECT_LE(distance(fast.gradients(batch_of(data, rows)), expected), 4e-7) << name;
  }
}

TEST(Lenet5, QuantisedLogitsAreBitwiseThoseOfLibTorch) {
  ir::Graph graph = models::build("lenet5", digits());
  for (const char* op : {"conv2d", "linear"}) graph = test::quantised(std::move(graph), op, 8, 4);
  EXPECT_EQ(choose(graph).engine->name(), "native");
  const test::Data data = random_digits(50);
  const auto a = load_engine("native").compile(graph)->forward({&data.features, 1}, Mode::Eval);
  const auto b = load_engine("torch").compile(graph)->forward({&data.features, 1}, Mode::Eval);
  EXPECT_TRUE(a == b);
}

TEST(Lenet5, ManyRowsGoThroughInPieces) {
  const ir::Graph graph = models::build("lenet5", digits());
  const auto program = load_engine("native").compile(graph);
  const test::Data data = random_digits(1500);
  const ir::Tensor all = program->forward({&data.features, 1}, Mode::Eval);
  for (const std::int64_t row : {0, 777, 1499}) {
    const ir::Tensor one = data.features.rows(row, 1);
    const ir::Tensor alone = program->forward({&one, 1}, Mode::Eval);
    for (std::int64_t k = 0; k < 10; ++k) EXPECT_EQ(all.at(row * 10 + k), alone.at(k)) << row;
  }
}

// Like LibTorch: the largest of values of which one is not a number is not a number.
TEST(WindowFaults, NanAndInfinityPassAsInLibTorch) {
  const ir::Graph graph = test::typed(
      test::sequence({"Conv2d(1, 2, 2)", "ReLU()", "MaxPool2d(2, 1)", "AvgPool2d((2, 1))"}),
      {1, 5, 4});
  ir::Tensor input = test::random_tensor({3, 1, 5, 4}, 8);
  auto values = input.values_mut<float>();
  values[2] = std::numeric_limits<float>::quiet_NaN();
  values[25] = std::numeric_limits<float>::infinity();
  values[50] = -std::numeric_limits<float>::infinity();
  const auto a = load_engine("native").compile(graph)->forward({&input, 1}, Mode::Eval);
  const auto b = load_engine("torch").compile(graph)->forward({&input, 1}, Mode::Eval);
  ASSERT_EQ(a.shape(), b.shape());
  for (std::int64_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(std::isnan(a.at(i)), std::isnan(b.at(i))) << i;
    EXPECT_EQ(std::isinf(a.at(i)), std::isinf(b.at(i))) << i;
  }
}

TEST(WindowCoverage, WideLayersAreLeftToLibTorch) {
  const std::pair<const char*, const char*> cases[] = {
      {"Conv2d(3, 64, 3)", "out_channels = 64, where LibTorch is the better choice (above 32)"},
      {"Conv1d(33, 4, 3)", "in_channels = 33"},
      {"Conv2d(3, 4, 3, padding=1, padding_mode=reflect)", "padding_mode=reflect"}};
  for (const auto& [layer, reason] : cases) {
    const ir::Graph graph = test::sequence({layer});
    const std::string why_not = load_engine("native").why_not(graph, {});
    EXPECT_THAT(why_not, HasSubstr("node seq_blocks_0"));
    EXPECT_THAT(why_not, HasSubstr(reason));
    EXPECT_EQ(choose(graph).engine->name(), "torch");
  }
  EXPECT_EQ(choose(test::sequence({"Conv2d(32, 32, 3)"})).engine->name(), "native");
}

// Known only with the shape of the input: what the layers make of it, and how many different
// windows there are.
TEST(WindowCoverage, LargeImagesAndTablesAreLeftToLibTorch) {
  struct Case {
    std::string layer;
    ir::Shape sample;
    std::string reason;  // "": the native engine takes it
  };
  const Case cases[] = {{"Conv2d(1, 4, 3, padding=1)", {1, 1024, 1024}, ""},
                        {"Conv2d(1, 5, 3, padding=1)", {1, 1024, 1024}, "5242880 features"},
                        {"Conv2d(1, 1, 1, padding=1024)", {1, 4, 4}, "4210704 features"},
                        {"MaxPool2d(2, 1, 1)", {1, 2048, 2048}, "4198401 features"},
                        {"Conv1d(1, 1, 3, padding=1)", {1, 65536}, ""},
                        {"AvgPool1d(2049, 1, 1024)", {1, 4194304}, "windows of 8594128896 entries"},
                        {"MaxPool2d(201, 1, 100)", {1, 200, 200}, "windows of 906010000 entries"},
                        {"AdaptiveAvgPool2d(3000)", {1, 4, 4}, "9000000 features"}};
  for (const auto& [layer, sample, reason] : cases) {
    const bool flat = sample.size() == 2;
    const ir::Graph graph =
        test::sequence({layer, flat ? "AdaptiveAvgPool1d(1)" : "AdaptiveAvgPool2d(1)"});
    const Choice choice = choose(test::typed(graph, sample));
    EXPECT_EQ(choice.engine->name(), reason.empty() ? "native" : "torch") << layer;
    EXPECT_THAT(choice.reason, HasSubstr(reason)) << layer;
    if (reason.empty()) continue;
    EXPECT_THAT(choice.reason, HasSubstr("node seq_blocks_0: ")) << layer;
  }
}

// The batch norm would take the channels of a lone image for rows.
TEST(WindowCoverage, ABatchNormOfAnImageWithoutABatchIsRefused) {
  const auto program = load_engine("native").compile(
      test::typed(test::sequence({"Conv2d(3, 2, 2)", "BatchNorm2d(2)"}), {3, 4, 4}));
  const ir::Tensor one = test::random_tensor({3, 4, 4}, 1);
  EXPECT_THROW(program->forward({&one, 1}, Mode::Eval), Error);
}

INSTANTIATE_TEST_SUITE_P(Engines, WindowVectors, ::testing::Values("native", "torch"));

}  // namespace
}  // namespace mase::engine
