// The native engine against LibTorch and against itself: gradients, trajectories, quantised bits,
// instruction sets, tails, resume.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mase/engine/native/kernels.h"
#include "mase/engine/native/plan.h"
#include "mase/engine/native/program.h"
#include "mase/support/error.h"
#include "tests/engine/native_cases.h"
#include "tests/engine/networks.h"
#include "tests/engine/states.h"

namespace mase::engine {
namespace {

using test::Data;
using test::distance;

std::vector<std::uint32_t> order(std::int64_t n, std::uint32_t first = 0) {
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), first);
  return rows;
}

class Native : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    case_ = test::native_cases()[static_cast<std::size_t>(GetParam())];
    classes_ = 2;
    for (const auto& parameter : case_.graph.parameters()) {
      if (!parameter.is_buffer) classes_ = parameter.value.dim(0);
    }
    draw_data(11);
  }
  void draw_data(std::uint64_t seed) {
    ir::Shape shape = case_.sample;
    shape.insert(shape.begin(), 700);
    data_.features = test::random_tensor(shape, seed, -2, 2);
    data_.labels = ir::Tensor({700}, ir::DType::Int64);
    Random random(5);
    for (auto& label : data_.labels.values_mut<std::int64_t>()) {
      label = random.up_to(static_cast<std::uint32_t>(classes_ - 1));
    }
  }
  std::unique_ptr<Program> program(const char* engine) const {
    return load_engine(engine).compile(case_.graph, {.seed = 9});
  }
  Batch batch(const std::vector<std::uint32_t>& rows) const {
    return {.features = &data_.features, .labels = &data_.labels, .rows = rows};
  }

  test::NativeCase case_;
  Data data_;
  std::int64_t classes_ = 0;
};

std::string case_name(const ::testing::TestParamInfo<int>& info) {
  return test::native_cases()[static_cast<std::size_t>(info.param)].name;
}

// Both engines round differently; what counts is the distance from float64: 2e-7 (four units in the
// last place at 1), or what LibTorch's own float32 needs where a batch norm of few rows or a nearly
// constant feature amplifies rounding. A ReLU or a pool that rounding takes another way, one among
// millions, shows in one set of data and depends on the processor; a mistake shows in all three.
TEST_P(Native, FirstGradientsAreAsCloseToFloat64AsThoseOfLibTorch) {
  const auto exact =
      load_engine("torch").compile(case_.graph, {.precision = Precision::Float64, .seed = 9});
  const bool quantised = case_.name.starts_with("quantised");
  const auto excess = [&](const std::vector<std::uint32_t>& rows) {
    const ir::State ours = program("native")->gradients(batch(rows));
    const ir::State theirs = program("torch")->gradients(batch(rows));
    // In float64 other values cross rounding boundaries: LibTorch's float32 is the measure then.
    const ir::State reference = quantised ? theirs : exact->gradients(batch(rows));
    EXPECT_EQ(ours.size(), theirs.size());
    return distance(ours, reference) /
           std::max(quantised ? 1e-6 : 2e-7, 3 * distance(theirs, reference));
  };
  for (const std::int64_t n : {4, 16, 64, 257, 700}) {
    double least = INFINITY;
    for (std::uint64_t seed = 11; seed < 14 && !(least <= 1); ++seed) {
      draw_data(seed);
      least = std::min(least, excess(order(n)));
    }
    EXPECT_LE(least, 1) << n;
  }
}

TEST_P(Native, EvaluationEqualsLibTorch) {
  const auto native = program("native");
  const auto torch = program("torch");
  const auto rows = order(531, 100);
  const BatchResult ours = native->evaluate(batch(rows));
  const BatchResult theirs = torch->evaluate(batch(rows));
  EXPECT_EQ(ours.correct, theirs.correct);
  EXPECT_EQ(ours.count, 531);
  EXPECT_NEAR(ours.loss, theirs.loss, 2e-6);
  for (Mode mode : {Mode::Eval, Mode::Train}) {
    const ir::Tensor a = native->forward({&data_.features, 1}, mode, 3);
    const ir::Tensor b = torch->forward({&data_.features, 1}, mode, 3);
    ASSERT_EQ(a.shape(), b.shape());
    // Forty units in the last place after up to four normalised layers.
    for (std::int64_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a.at(i), b.at(i), 5e-6 * std::max(1.0, std::abs(b.at(i)))) << i;
    }
  }
  EXPECT_LE(distance(native->state(), torch->state()), 2e-6);  // running statistics moved alike
}

// SGD does not amplify rounding: a hundred steps stay together. Quantised networks jump when a
// value crosses a rounding boundary differently, so they get the width of one such jump.
TEST_P(Native, SgdFollowsLibTorch) {
  const auto native = program("native");
  const auto torch = program("torch");
  const OptimiserOptions options{
      .kind = OptimiserKind::Sgd, .learning_rate = 1e-2, .weight_decay = 5e-4};
  native->set_optimiser(options);
  torch->set_optimiser(options);
  for (std::uint64_t step = 0; step < 100; ++step) {
    const auto rows = order(64, static_cast<std::uint32_t>(step * 6));
    const BatchResult a = native->train_step(batch(rows), {.step = step});
    const BatchResult b = torch->train_step(batch(rows), {.step = step});
    EXPECT_NEAR(a.loss, b.loss, case_.name.starts_with("quantised") ? 2e-2 : 1e-5);
  }
  const double far = distance(native->state(), torch->state());
  EXPECT_LE(far, case_.name.starts_with("quantised") ? 3e-2 : 2e-5);
}

TEST_P(Native, AdamAndAdamWFollowLibTorchClosely) {
  for (OptimiserKind kind : {OptimiserKind::Adam, OptimiserKind::AdamW}) {
    const auto native = program("native");
    const auto torch = program("torch");
    const OptimiserOptions options{.kind = kind, .learning_rate = 1e-3, .weight_decay = 1e-2};
    native->set_optimiser(options);
    torch->set_optimiser(options);
    for (std::uint64_t step = 0; step < 20; ++step) {
      const auto rows = order(64, static_cast<std::uint32_t>(step * 6));
      const BatchResult a = native->train_step(batch(rows), {.step = step});
      const BatchResult b = torch->train_step(batch(rows), {.step = step});
      EXPECT_NEAR(a.loss, b.loss, case_.name.starts_with("quantised") ? 2e-2 : 1e-5);
    }
  }
}

TEST_P(Native, AccumulatedBatchesEqualLibTorch) {
  const auto native = program("native");
  const auto torch = program("torch");
  for (Program* p : {native.get(), torch.get()}) {
    p->set_optimiser({.kind = OptimiserKind::Sgd, .learning_rate = 1e-2});
    for (std::uint64_t i = 0; i < 6; ++i) {
      const auto rows = order(50, static_cast<std::uint32_t>(i * 50));
      p->train_step(batch(rows), {.scale = 1.0 / 3, .update = i % 3 == 2, .step = i});
    }
  }
  EXPECT_LE(distance(native->state(), torch->state()),
            case_.name.starts_with("quantised") ? 1e-2 : 2e-6);
}

// The same plan on the simplest instruction set: what the fast ones are checked against. A value
// within a rounding of a kink may fall on its other side, which makes a jump in that batch, so the
// median of several batches counts.
TEST_P(Native, InstructionSetsAgree) {
  const native::Kernels* portable = native::find_kernels("portable");
  ASSERT_NE(portable, nullptr);
  native::NativeProgram plain(case_.graph, {.seed = 9}, *portable);
  for (const char* name : {"avx2", "avx512"}) {
    const native::Kernels* kernels = native::find_kernels(name);
    if (!kernels) continue;  // this machine does not have it
    native::NativeProgram fast(case_.graph, {.seed = 9}, *kernels);
    std::vector<double> distances;
    for (const std::uint32_t first : {0u, 200u, 400u}) {
      const auto rows = order(300, first);
      distances.push_back(distance(fast.gradients(batch(rows)), plain.gradients(batch(rows))));
    }
    std::sort(distances.begin(), distances.end());
    EXPECT_LE(distances[1], 4e-7) << name;
  }
}

TEST(NativeKernels, ANameThatIsNoInstructionSetIsRefused) {
  EXPECT_EQ(&native::choose_kernels("portable"), native::find_kernels("portable"));
  EXPECT_NO_THROW(native::choose_kernels(""));
  try {
    native::choose_kernels("avx3");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("MASE_NATIVE_ISA=avx3"));
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("portable"));
  }
}

TEST_P(Native, GoesOnBitwiseFromASavedState) {
  const OptimiserOptions options{.learning_rate = 1e-2, .weight_decay = 1e-3};
  const auto whole = program("native");
  whole->set_optimiser(options);
  const auto first = program("native");
  first->set_optimiser(options);
  const auto second = program("native");
  second->set_optimiser(options);
  for (std::uint64_t step = 0; step < 20; ++step) {
    const auto rows = order(64, static_cast<std::uint32_t>(step * 30));
    whole->train_step(batch(rows), {.step = step});
    if (step == 9) {
      first->train_step(batch(rows), {.step = step});
      second->load_state(first->state());
      second->load_optimiser_state(first->optimiser_state());
    } else {
      (step < 9 ? first : second)->train_step(batch(rows), {.step = step});
    }
  }
  EXPECT_EQ(whole->state(), second->state());
}

// One count serves all parameters here: a state in which they differ (some were frozen for a while)
// would get the wrong corrections.
TEST_P(Native, MemoryOfPartsOfTheNetworkIsRefused) {
  const auto first = program("native");
  first->set_optimiser({.learning_rate = 1e-2});
  const auto rows = order(64, 0);
  first->train_step(batch(rows), {});
  ir::OptimiserState state = first->optimiser_state();
  if (state.size() < 2) return;
  state.back().step = 5;
  EXPECT_THROW(first->load_optimiser_state(state), Error);
  state.pop_back();
  EXPECT_THROW(first->load_optimiser_state(state), Error);
}

TEST_P(Native, CapturesWhatNodesRead) {
  std::vector<std::string> names;
  for (const ir::Node& node : case_.graph) {
    if (node.kind != ir::NodeKind::Placeholder) names.push_back(node.name);
  }
  const ir::Tensor input = data_.features.rows(0, 40);
  const auto before = program("native");
  const ir::State state = before->state();
  const auto ours = before->capture_inputs({&input, 1}, names, Mode::Train);
  const auto theirs = program("torch")->capture_inputs({&input, 1}, names, Mode::Train);
  EXPECT_EQ(before->state(), state);
  for (std::size_t i = 0; i < names.size(); ++i) {
    ASSERT_EQ(ours[i].second.size(), theirs[i].second.size()) << names[i];
    for (std::size_t k = 0; k < ours[i].second.size(); ++k) {
      const ir::Tensor& a = ours[i].second[k];
      const ir::Tensor& b = theirs[i].second[k];
      ASSERT_EQ(a.shape(), b.shape()) << names[i];
      for (std::int64_t e = 0; e < a.size(); ++e) ASSERT_NEAR(a.at(e), b.at(e), 4e-6) << names[i];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, Native,
                         ::testing::Range(0, static_cast<int>(test::native_cases().size())),
                         case_name);

TEST(NativeCapture, ResultsHaveTheShapesOfTheGraph) {
  ir::Graph graph = test::with_input();
  graph.add({.name = "view",
             .kind = ir::NodeKind::CallMethod,
             .op = "view",
             .target = "view",
             .args = {ir::NodeRef{"x"}, -1, 2, 3}});
  test::finish(graph, "view");
  graph = test::typed(std::move(graph), {6});
  const ir::Tensor input = test::random_tensor({4, 6}, 1, -1, 1);
  const auto results =
      load_engine("native").compile(graph)->capture_results({&input, 1}, Mode::Eval);
  EXPECT_EQ(ir::find(results, "view")->get<ir::Tensor>()->shape(), (ir::Shape{4, 2, 3}));
  EXPECT_EQ(ir::find(results, "output")->get<ir::Tensor>()->shape(), (ir::Shape{4, 2, 3}));
}

// Fake quantisation is exact arithmetic on few bits: the result is that of LibTorch bit for bit.
TEST(NativeQuantised, LogitsAreBitwiseThoseOfLibTorch) {
  const ir::Graph graph = test::quantised(
      test::sequence({"Linear(16, 8)", "ReLU()", "Linear(8, 8)", "ReLU()", "Linear(8, 5)"}),
      "linear", 8, 4);
  const ir::Tensor input = test::random_tensor({5000, 16}, 21, -4, 4);
  const auto a = load_engine("native").compile(graph)->forward({&input, 1}, Mode::Eval);
  const auto b = load_engine("torch").compile(graph)->forward({&input, 1}, Mode::Eval);
  EXPECT_TRUE(a == b);
}

TEST(NativeFaults, NanAndInfinityBehaveAsInLibTorch) {
  const ir::Graph graph = test::sequence({"Linear(4, 6)", "ReLU()", "Linear(6, 3)"});
  ir::Tensor input = test::random_tensor({8, 4}, 2);
  input.values_mut<float>()[5] = NAN;
  input.values_mut<float>()[10] = INFINITY;
  const auto a = load_engine("native").compile(graph)->forward({&input, 1}, Mode::Eval);
  const auto b = load_engine("torch").compile(graph)->forward({&input, 1}, Mode::Eval);
  for (std::int64_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(std::isfinite(a.at(i)), std::isfinite(b.at(i))) << i;
  }
}

TEST(NativeFaults, OneRowAndWrongLabelsAreNamed) {
  const auto program = load_engine("native").compile(test::jsc_toy());
  const ir::Tensor features = test::random_tensor({4, 16}, 2);
  ir::Tensor labels({4}, ir::DType::Int64);
  const auto one = order(1);
  const auto four = order(4);
  program->set_optimiser({});
  EXPECT_THROW(program->train_step({&features, &labels, one, {}}, {}), Error);
  EXPECT_EQ(program->evaluate({&features, &labels, one, {}}).count, 1);
  labels.values_mut<std::int64_t>()[2] = 7;
  const auto fresh = load_engine("native").compile(test::jsc_toy());
  try {
    fresh->evaluate({&features, &labels, four, {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("row 2"), std::string::npos);
  }
}

std::int64_t peak_memory() {  // KiB
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// A tile's memory serves all tiles of an evaluation: 200,000 rows of 150 values would be 120 MB.
TEST(NativeFaults, EvaluationTakesMemoryForOneTile) {
  constexpr std::int64_t kRows = 200'000;
  const auto program = load_engine("native").compile(
      test::sequence({"Linear(4, 64)", "ReLU()", "Linear(64, 64)", "ReLU()", "Linear(64, 3)"}));
  const ir::Tensor features = test::random_tensor({kRows, 4}, 2);
  const ir::Tensor labels({kRows}, ir::DType::Int64);
  const auto rows = order(kRows);
  const auto few = order(256);
  program->evaluate({&features, &labels, few, {}});
  const std::int64_t before = peak_memory();
  EXPECT_EQ(program->evaluate({&features, &labels, rows, {}}).count, kRows);
  EXPECT_LT(peak_memory() - before, 8 * 1024);
}

TEST(NativeCoverage, SaysWhyNot) {
  ir::Graph graph = test::with_input();
  graph.add({.name = "matmul",
             .kind = ir::NodeKind::CallFunction,
             .op = "matmul",
             .target = "torch.matmul",
             .args = {ir::NodeRef{"x"}, ir::NodeRef{"x"}}});
  test::finish(graph, "matmul");
  const std::string reason = load_engine("native").why_not(graph, {});
  EXPECT_NE(reason.find("node matmul"), std::string::npos) << reason;
  EXPECT_EQ(choose(graph).engine->name(), "torch");
  EXPECT_EQ(choose(test::jsc_toy()).engine->name(), "native");
}

// Places in a tile are ints, so what flows through the graph is limited. Where the shape of a row
// is known, "auto" goes on to the next engine and says why; running refuses as well.
TEST(NativeCoverage, MoreFeaturesThanTheLimitAreLeftToLibTorch) {
  const ir::Graph graph = test::sequence({"Identity()", "Linear(4, 2)"});
  EXPECT_EQ(choose(test::typed(graph, {4})).engine->name(), "native");

  constexpr std::int64_t kTooMany = native::kMostFeatures + 1;
  const ir::Graph activation = test::typed(test::sequence({"ReLU()"}), {kTooMany});
  const Choice choice = choose(activation);
  EXPECT_EQ(choice.engine->name(), "torch");
  EXPECT_EQ(choice.reason,
            "engine native: node x: 4194305 features, where LibTorch is the better choice "
            "(above 4194304)");
  try {
    load_engine("native").compile(activation);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
    EXPECT_EQ(error.where().node, "x");
  }
}

TEST(NativeCoverage, AsManyFeaturesAsTheLimitAreTaken) {
  const ir::Graph graph = test::sequence({"Flatten()", "ReLU()", "Linear(4194304, 2)"});
  EXPECT_EQ(load_engine("native").why_not(test::typed(graph, {1024, 4096}), {}), "");
}

TEST(NativeCoverage, MoreClassesThanTheLimitAreLeftToLibTorch) {
  EXPECT_EQ(choose(test::sequence({"Linear(4, 255)"})).engine->name(), "native");
  const Choice choice = choose(test::sequence({"Linear(4, 256)"}));
  EXPECT_EQ(choice.engine->name(), "torch");
  EXPECT_EQ(choice.reason, "engine native: the native engine tells up to 255 classes apart");
}

// Weights are never read when a graph is looked at, so that theirs need not exist.
TEST(NativeCoverage, MoreWeightsThanTheLimitAreLeftToLibTorch) {
  static const std::byte kNothing{};
  const auto of_rows = [](std::int64_t rows) {
    ir::Graph graph = test::sequence({"Linear(4, 2)"});
    graph.find_parameter("seq_blocks.0.weight")->value =
        ir::Tensor::view({rows, 1 << 14}, ir::DType::Float32, &kNothing, nullptr);
    return graph;
  };
  EXPECT_EQ(choose(of_rows(1 << 13)).engine->name(), "native");
  const Choice choice = choose(of_rows((1 << 13) + 1));
  EXPECT_EQ(choice.engine->name(), "torch");
  EXPECT_EQ(choice.reason,
            "engine native: node seq_blocks_0: 134234112 weights, where LibTorch is the better "
            "choice (above 134217728)");
}

// A mistake of the user's is no reason to ask another engine: compiling says what does not fit.
TEST(NativeCoverage, ShapesThatDoNotFitAreNoReason) {
  const ir::Graph graph = test::typed(test::sequence({"Linear(4, 2)"}), {5});
  EXPECT_EQ(load_engine("native").why_not(graph, {}), "");
  EXPECT_THROW(load_engine("native").compile(graph), Error);
}

TEST(NativeCoverage, AnInputWithoutATypeIsAMistake) {
  try {
    choose(test::sequence({"ReLU()"})).engine->compile(test::sequence({"ReLU()"}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_EQ(error.where().node, "x");
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("type_inputs"));
  }
}

}  // namespace
}  // namespace mase::engine
