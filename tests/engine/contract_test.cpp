// The fine print of the engine interface: captures, quantised bits, accumulation, states, dropout,
// threads, and what is said when something does not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "mase/engine/dropout.h"
#include "mase/support/error.h"
#include "tests/engine/networks.h"
#include "tests/engine/states.h"

namespace mase::engine {
namespace {

using test::batch_of;
using test::classes;
using test::Data;
using test::quantised;
using test::range;
using test::sequence;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class ContractTest : public ::testing::TestWithParam<std::string> {
 protected:
  const Engine& engine() { return load_engine(GetParam()); }
  std::unique_ptr<Program> compile(const ir::Graph& graph, const ProgramOptions& options = {}) {
    return engine().compile(graph, options);
  }
};

// Networks that the native engine leaves to the other: nothing in them is learnt.
class AnyNetworkTest : public ContractTest {};

template <typename Work>
Error error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::Internal, "none");
}

TEST_P(ContractTest, QuantisedEdgesHaveTheBitsOfTheFormat) {
  // x * 1 on a quantised edge shows the rounded values as they are, signs of zero included.
  ir::Graph graph = test::with_input();
  graph.add({.name = "mul",
             .kind = ir::NodeKind::CallFunction,
             .op = "mul",
             .target = "operator.mul",
             .args = {ir::NodeRef{"x"}, 1}});
  test::finish(graph, "mul");
  std::vector<float> values;
  for (int i = -3000; i <= 3000; ++i) values.push_back(static_cast<float>(i) / 96.0f);
  for (float v :
       {0.0f, -0.0f, 1e-30f, -1e-30f, 3e38f, -3e38f, 2147483648.0f, INFINITY, -INFINITY}) {
    values.push_back(v);
  }
  values.push_back(std::numeric_limits<float>::quiet_NaN());
  const auto count = static_cast<std::int64_t>(values.size());
  const ir::Tensor inputs[] = {ir::Tensor::from<float>({count, 1}, values)};
  for (const numerics::Precision& precision :
       {numerics::integer(8, 4), numerics::integer(8, 4, false), numerics::integer(1, 0),
        numerics::integer(4, -2), numerics::integer(16, 12), numerics::integer(32, 8),
        numerics::integer(8, std::nullopt)}) {
    SCOPED_TRACE(precision.text());
    ir::Graph edge = test::typed(graph, {1});
    edge.node("mul").precision.emplace_back("data_in_0", precision);
    if (!engine().why_not(edge, {}).empty()) continue;  // then `auto` takes the other engine
    const ir::Tensor result = compile(edge)->forward(inputs, Mode::Eval);
    std::vector<float> expected(values.size());
    numerics::quantise(precision, {.shape = {count, 1}}, values, expected);
    const auto got = result.values<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(expected[i])) {
        EXPECT_TRUE(std::isnan(got[i]));
        continue;
      }
      EXPECT_EQ(got[i], expected[i]) << values[i];
      // The native engine adds 0 to products with a number, which loses the sign of a zero.
      if (GetParam() != "torch") continue;
      EXPECT_EQ(std::signbit(got[i]), std::signbit(expected[i])) << values[i];
    }
  }
}

TEST_P(ContractTest, GradientsPassTheRoundingAlsoOutsideOfItsRange) {
  // Weights far outside of 4.2's range: without a straight-through gradient they could not move.
  ir::Graph graph = quantised(sequence({"Linear(4, 3)"}), "linear", 4, 2);
  for (float& w : graph.find_parameter("seq_blocks.0.weight")->value.values_mut<float>()) w *= 40;
  const Data data = classes(16, 4, 3);
  const auto rows = range(0, 16);
  for (const auto& [name, gradient] : compile(graph)->gradients(batch_of(data, rows))) {
    std::vector<float> values = gradient.floats();
    EXPECT_TRUE(std::all_of(values.begin(), values.end(), [](float g) { return g != 0; })) << name;
  }
}

TEST_P(ContractTest, CapturesAreWhatNodesReadBeforeTheyRun) {
  const ir::Graph graph =
      sequence({"BatchNorm1d(4)", "ReLU(inplace=True)", "Linear(4, 3)", "ReLU(inplace=True)"});
  const auto program = compile(graph);
  const ir::State before = program->state();
  const ir::Tensor inputs[] = {test::random_tensor({8, 4}, 1)};
  const std::vector<std::string> nodes = {"seq_blocks_3", "seq_blocks_1", "x"};
  for (const Mode mode : {Mode::Eval, Mode::Train}) {
    const auto reads = program->capture_inputs(inputs, nodes, mode);
    const auto results = program->capture_results(inputs, mode);
    ASSERT_EQ(reads.size(), 3u);
    ASSERT_EQ(results.size(), graph.nodes().size());
    EXPECT_TRUE(ir::find(reads, "x")->empty());
    const ir::Tensor normal = (*ir::find(reads, "seq_blocks_1")).at(0);
    EXPECT_EQ(normal, *ir::find(results, "seq_blocks_0")->get<ir::Tensor>());
    const std::vector<float> values = normal.floats();
    EXPECT_LT(*std::min_element(values.begin(), values.end()), 0) << "rectified in place";
    EXPECT_EQ(*ir::find(results, "x")->get<ir::Tensor>(), inputs[0]);
    EXPECT_EQ(*ir::find(results, "output")->get<ir::Tensor>(),
              *ir::find(results, "seq_blocks_3")->get<ir::Tensor>());
    EXPECT_EQ(program->state(), before) << "an analysis moved the running statistics";
  }
  const Error error = error_of([&] {
    program->capture_inputs(inputs, std::vector<std::string>{"seq_block_1"}, Mode::Eval);
  });
  EXPECT_EQ(error.kind(), ErrorKind::Usage);
  EXPECT_THAT(error.hint(), HasSubstr("seq_blocks_1"));
}

TEST_P(ContractTest, RunningStatisticsMoveOnlyInTraining) {
  const auto program = compile(sequence({"BatchNorm1d(4)"}));
  const ir::State start = program->state();
  const ir::Tensor inputs[] = {test::random_tensor({8, 4}, 1)};
  program->forward(inputs, Mode::Eval);
  EXPECT_EQ(program->state(), start);
  program->forward(inputs, Mode::Train);
  const ir::State after = program->state();
  EXPECT_EQ(ir::find(after, "seq_blocks.0.num_batches_tracked")->at(0), 1);
  EXPECT_EQ(ir::find(after, "seq_blocks.0.num_batches_tracked")->dtype(), ir::DType::Int64);
  double mean = 0;
  for (int i = 0; i < 8; ++i) mean += inputs[0].at(i * 4) / 8;
  EXPECT_NEAR(ir::find(after, "seq_blocks.0.running_mean")->at(0), 0.1 * mean, 1e-7);
}

TEST_P(ContractTest, GradientsChangeNothing) {
  const Data data = classes(32);
  const auto rows = range(0, 32);
  const auto program = compile(test::jsc_toy());
  program->set_optimiser({.learning_rate = 0.1});
  const ir::State start = program->state();
  const ir::State first = program->gradients(batch_of(data, rows));
  EXPECT_EQ(program->state(), start);
  EXPECT_EQ(program->gradients(batch_of(data, rows)), first);
  EXPECT_EQ(first.size(), 14u);  // parameters without buffers
}

TEST_P(ContractTest, AccumulatedBatchesGiveTheGradientOfTheirMean) {
  const Data data = classes(64);
  const auto both = range(0, 64);
  const auto first = range(0, 32);
  const auto second = range(32, 32);
  // Without batch norm the mean over 64 rows is the mean of the two means over 32.
  const ir::Graph graph = sequence({"Linear(16, 8)", "ReLU()", "Linear(8, 5)"});
  const OptimiserOptions options{.kind = OptimiserKind::Sgd, .learning_rate = 0.1};
  const auto whole = compile(graph);
  whole->set_optimiser(options);
  whole->train_step(batch_of(data, both), {});
  const auto parts = compile(graph);
  parts->set_optimiser(options);
  const ir::State start = parts->state();
  const double loss =
      parts->train_step(batch_of(data, first), {.scale = 0.5, .update = false}).loss;
  EXPECT_EQ(parts->state(), start) << "an update without being asked";
  EXPECT_NEAR(loss, compile(graph)->evaluate(batch_of(data, first)).loss, 1e-6)
      << "the reported loss is not scaled";
  parts->train_step(batch_of(data, second), {.scale = 0.5});
  const ir::State a = whole->state();
  const ir::State b = parts->state();
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::int64_t k = 0; k < a[i].second.size(); ++k) {
      EXPECT_NEAR(a[i].second.at(k), b[i].second.at(k), 1e-6) << a[i].first;
    }
  }
}

TEST_P(AnyNetworkTest, DropoutDependsOnSeedStepAndNodeOnly) {
  ir::Graph graph = sequence({"Dropout(p=0.25)"});
  const ir::Tensor inputs[] = {ir::Tensor::from<float>({400, 10}, std::vector<float>(4000, 1.0f))};
  const auto program = compile(graph, {.seed = 5});
  const ir::Tensor at_3 = program->forward(inputs, Mode::Train, 3);
  std::vector<float> factors(4000);
  dropout_factors({.seed = 5, .step = 3, .node = graph.index_of("seq_blocks_0")}, 0.25,
                  factors.data(), factors.size());
  EXPECT_EQ(at_3.floats(), factors);
  const auto kept = std::count_if(factors.begin(), factors.end(), [](float f) { return f != 0; });
  EXPECT_NEAR(static_cast<double>(kept) / 4000, 0.75, 0.03);
  EXPECT_FLOAT_EQ(*std::max_element(factors.begin(), factors.end()), 1 / 0.75f);
  EXPECT_EQ(program->forward(inputs, Mode::Train, 3), at_3);
  EXPECT_NE(program->forward(inputs, Mode::Train, 4), at_3);
  EXPECT_NE(compile(graph, {.seed = 6})->forward(inputs, Mode::Train, 3), at_3);
}

TEST_P(ContractTest, ThreadsDoNotChangeResults) {
  const Data data = classes(256);
  const auto rows = range(0, 256);
  const ir::Graph graph =
      sequence({"Linear(16, 64)", "BatchNorm1d(64)", "ReLU()", "Linear(64, 5)"});
  std::vector<ir::State> states;
  std::vector<double> losses;
  for (const int threads : {1, 2, 3}) {
    const auto program = compile(graph, {.threads = threads});
    program->set_optimiser({.learning_rate = 0.01});
    for (std::uint64_t step = 0; step < 5; ++step) {
      program->train_step(batch_of(data, rows), {.step = step});
    }
    states.push_back(program->state());
    losses.push_back(program->evaluate(batch_of(data, rows)).loss);
  }
  EXPECT_EQ(states[0], states[1]);
  EXPECT_EQ(states[0], states[2]);
  EXPECT_EQ(losses, std::vector<double>(3, losses[0]));
}

TEST_P(ContractTest, RowsAreGatheredInTheOrderAsked) {
  const Data data = classes(64);
  const auto program = compile(sequence({"Linear(16, 5)"}));
  const std::vector<std::uint32_t> rows = {63, 0, 7, 7};
  double loss = 0;
  std::int64_t correct = 0;
  for (std::uint32_t row : rows) {
    const BatchResult one = program->evaluate(batch_of(data, std::vector<std::uint32_t>{row}));
    loss += one.loss / 4;
    correct += one.correct;
  }
  const BatchResult all = program->evaluate(batch_of(data, rows));
  EXPECT_NEAR(all.loss, loss, 1e-6);
  EXPECT_EQ(all.correct, correct);
  EXPECT_EQ(all.count, 4);
}

// Also where they have been written over, or lie where others lay.
TEST_P(ContractTest, LabelsAreThoseOfTheBatchAtHand) {
  Data data = classes(64);
  const auto rows = range(0, 64);
  const auto program = compile(sequence({"Linear(16, 5)"}));
  for (const bool anew : {false, true}) {
    std::int64_t correct = 0;
    for (std::int64_t label = 0; label < 5; ++label) {
      if (anew) {
        data.labels = {};
        data.labels = ir::Tensor({64}, ir::DType::Int64);
      }
      std::ranges::fill(data.labels.values_mut<std::int64_t>(), label);
      correct += program->evaluate(batch_of(data, rows)).correct;
    }
    EXPECT_EQ(correct, 64) << "each row has one class";
  }
}

TEST_P(ContractTest, NanReachesTheLossAndNotTheParameters) {
  Data data = classes(32);
  data.features.values_mut<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  const auto rows = range(0, 32);
  const auto program = compile(sequence({"Linear(16, 8)", "ReLU()", "Linear(8, 5)"}));
  program->set_optimiser({.learning_rate = 0.1});
  const ir::State start = program->state();
  EXPECT_TRUE(std::isnan(program->train_step(batch_of(data, rows), {}).loss));
  EXPECT_EQ(program->state(), start);
}

// One class leaves nothing to decide: no loss, no gradient, all right.
TEST_P(ContractTest, ANetworkWithOneClassIsAlwaysRight) {
  Data data = classes(12);
  for (std::int64_t& label : data.labels.values_mut<std::int64_t>()) label = 0;
  const auto rows = range(0, 12);
  const auto program = compile(sequence({"Linear(16, 3)", "BatchNorm1d(3)", "Linear(3, 1)"}));
  program->set_optimiser({.learning_rate = 0.1});
  const BatchResult result = program->train_step(batch_of(data, rows), {});
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(result.correct, 12);
  for (const auto& [name, gradient] : program->gradients(batch_of(data, rows))) {
    for (std::int64_t i = 0; i < gradient.size(); ++i) EXPECT_EQ(gradient.at(i), 0) << name;
  }
  EXPECT_EQ(program->evaluate(batch_of(data, rows)).correct, 12);
}

TEST_P(ContractTest, ALayerWithoutWidthIsRefusedByName) {
  const Error error = error_of([] { sequence({"Linear(16, 0)"}); });
  EXPECT_NE(error.message().find("out_features must be"), std::string::npos) << error.message();
}

TEST_P(ContractTest, ABatchOfOneRowInTrainingNamesTheBatchNorm) {
  const Data data = classes(4);
  const auto program = compile(test::jsc_toy());
  program->set_optimiser({});
  const std::vector<std::uint32_t> one = {2};
  const Error error = error_of([&] { program->train_step(batch_of(data, one), {}); });
  EXPECT_EQ(error.kind(), ErrorKind::RunFailed);
  EXPECT_EQ(error.where().node, "seq_blocks_0");
  EXPECT_THAT(error.message(), ContainsRegex("one row|more than 1 value"));
  EXPECT_EQ(program->evaluate(batch_of(data, one)).count, 1);
}

TEST_P(ContractTest, StatesThatDoNotFitAreRefusedWhole) {
  const auto program = compile(sequence({"Linear(16, 5)"}));
  const ir::State start = program->state();
  ir::State state = start;
  state[0].second = ir::Tensor({5, 15}, ir::DType::Float32);
  Error error = error_of([&] { program->load_state(state); });
  EXPECT_EQ(error.kind(), ErrorKind::Usage);
  EXPECT_THAT(error.message(), HasSubstr("[5, 15]"));
  state = start;
  state[1].first = "seq_blocks.0.offset";
  error = error_of([&] { program->load_state(state); });
  EXPECT_THAT(error.message(), HasSubstr("seq_blocks.0.bias"));
  EXPECT_EQ(program->state(), start);
}

TEST_P(ContractTest, OptimiserStatesOfAnotherKindAreRefused) {
  const Data data = classes(32);
  const auto rows = range(0, 32);
  const ir::Graph graph = sequence({"Linear(16, 5)"});
  const auto sgd = compile(graph);
  sgd->set_optimiser({.kind = OptimiserKind::Sgd, .learning_rate = 0.1});
  EXPECT_TRUE(sgd->optimiser_state().empty());
  sgd->train_step(batch_of(data, rows), {});
  const auto adam = compile(graph);
  adam->set_optimiser({.kind = OptimiserKind::Adam});
  const Error error = error_of([&] { adam->load_optimiser_state(sgd->optimiser_state()); });
  EXPECT_EQ(error.kind(), ErrorKind::Usage);
  EXPECT_THAT(error.message(), HasSubstr("'momentum_buffer': it comes from SGD"));
}

// What is not the optimiser's own is not taken for it: AMSGrad keeps a third tensor beside Adam's.
TEST_P(ContractTest, OptimiserStatesWithMoreOrLessAreRefused) {
  const Data data = classes(32);
  const auto rows = range(0, 32);
  const auto program = compile(sequence({"Linear(16, 5)"}));
  program->set_optimiser({.kind = OptimiserKind::Adam});
  program->train_step(batch_of(data, rows), {});
  const ir::OptimiserState own = program->optimiser_state();
  const auto message = [&](auto change) {
    ir::OptimiserState state = own;
    change(state);
    return error_of([&] { program->load_optimiser_state(state); }).message();
  };
  EXPECT_THAT(message([](ir::OptimiserState& s) {
                s[1].tensors.emplace_back("max_exp_avg_sq", s[1].tensors[1].second);
              }),
              ContainsRegex("max_exp_avg_sq.*amsgrad=True"));
  EXPECT_THAT(message([](ir::OptimiserState& s) { s[0].tensors.pop_back(); }),
              HasSubstr("has no 'exp_avg_sq'"));
  EXPECT_THAT(message([](ir::OptimiserState& s) { s[0].parameter = "nobody"; }),
              HasSubstr("'nobody', which is no trained parameter"));
  EXPECT_THAT(message([](ir::OptimiserState& s) { s.push_back(s[0]); }), HasSubstr("twice"));
  EXPECT_THAT(message([](ir::OptimiserState& s) {
                s[0].tensors[1].second = ir::Tensor({5, 15}, ir::DType::Float32);
              }),
              HasSubstr("has shape [5, 15], the parameter [5, 16]"));
  program->load_optimiser_state(own);
  EXPECT_EQ(program->optimiser_state().at(0).step, 1);
}

TEST_P(ContractTest, AnOpWithoutKernelIsNamed) {
  ir::Graph graph = test::with_input();
  graph.add({.name = "strange",
             .kind = ir::NodeKind::CallFunction,
             .op = "no_such_op",
             .target = "torch.no_such_op",
             .args = {ir::NodeRef{"x"}}});
  test::finish(graph, "strange");
  EXPECT_THAT(engine().why_not(graph, {}), HasSubstr("strange"));
  const Error error = error_of([&] { compile(graph); });
  EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
  EXPECT_EQ(engine().why_not(test::jsc_toy(), {}), "");
}

// A vector of features is one row, as PyTorch's layers take it.
TEST_P(ContractTest, OneRowNeedsNoBatch) {
  const ir::Graph graph =
      test::typed(sequence({"ReLU()", "Linear(16, 8)", "ReLU()", "Linear(8, 5)"}), {16});
  const auto program = compile(graph);
  const ir::Tensor table = test::random_tensor({4, 16}, 1);
  const ir::Tensor rows[] = {table};
  const ir::Tensor row[] = {table.rows(2, 1).reshaped({16})};
  for (const Mode mode : {Mode::Eval, Mode::Train}) {
    const ir::Tensor one = program->forward(row, mode);
    EXPECT_EQ(one.shape(), ir::Shape{5});
    const ir::Tensor all = program->forward(rows, mode);
    EXPECT_EQ(all.shape(), (ir::Shape{4, 5}));
    for (std::int64_t i = 0; i < 5; ++i) EXPECT_NEAR(one.at(i), all.at(2 * 5 + i), 1e-6);
  }
  const ir::Named<ir::Value> results = program->capture_results(row, Mode::Eval);
  EXPECT_EQ(ir::find(results, "x")->get<ir::Tensor>()->shape(), ir::Shape{16});
  EXPECT_EQ(ir::find(results, "seq_blocks_1")->get<ir::Tensor>()->shape(), ir::Shape{8});
}

TEST_P(ContractTest, OneImageNeedsNoBatch) {
  const auto program =
      compile(test::typed(sequence({"Conv2d(2, 3, kernel_size=(3, 3))", "ReLU()"}), {2, 6, 7}));
  const ir::Tensor image[] = {test::random_tensor({2, 6, 7}, 1)};
  const ir::Tensor batch[] = {image[0].reshaped({1, 2, 6, 7})};
  const ir::Tensor one = program->forward(image, Mode::Eval);
  EXPECT_EQ(one.shape(), (ir::Shape{3, 4, 5}));
  EXPECT_EQ(one.reshaped({1, 3, 4, 5}), program->forward(batch, Mode::Eval));
}

TEST_P(ContractTest, OneRowIsRefusedWhereALayerNeedsABatch) {
  const auto program = compile(sequence({"Linear(16, 5)", "BatchNorm1d(5)"}));
  const ir::Tensor row[] = {test::random_tensor({16}, 1)};
  const Error error = error_of([&] { program->forward(row, Mode::Eval); });
  EXPECT_EQ(error.kind(), ErrorKind::Usage);
  EXPECT_EQ(error.message(), "BatchNorm1d(5) reads [N, 5] or [N, 5, L], but its input is [5]");
  EXPECT_EQ(error.where().node, "seq_blocks_1");
}

TEST_P(ContractTest, InputsThatDoNotFitNameTheNode) {
  const auto program = compile(test::typed(sequence({"ReLU()", "Linear(16, 5)"}), {16}));
  const ir::Tensor wrong[] = {test::random_tensor({4, 15}, 1)};
  const Error error = error_of([&] { program->forward(wrong, Mode::Eval); });
  EXPECT_NE(error.kind(), ErrorKind::Internal);
  EXPECT_EQ(error.message().find('\n'), std::string::npos) << error.message();
  EXPECT_EQ(error.where().node, "seq_blocks_1");
  EXPECT_THAT(error.message(), HasSubstr("[4, 15]")) << "the input's shape, not a made-up one";
}

TEST_P(ContractTest, LabelsOutsideOfTheClassesAreAnError) {
  const Data good = classes(8);
  Data data = good;
  for (std::int64_t& label : data.labels.values_mut<std::int64_t>()) label = (label + 1) % 5;
  data.labels.values_mut<std::int64_t>()[3] = 5;
  const auto rows = range(0, 8);
  const auto program = compile(sequence({"Linear(16, 5)"}));
  const double loss = program->evaluate(batch_of(good, rows)).loss;
  const Error error = error_of([&] { program->evaluate(batch_of(data, rows)); });
  EXPECT_EQ(program->evaluate(batch_of(good, rows)).loss, loss) << "they leave nothing behind";
  EXPECT_NE(error.kind(), ErrorKind::Internal);
  EXPECT_THAT(error.message(), HasSubstr("5"));
}

TEST_P(AnyNetworkTest, ResultsAreTheCallersOwn) {
  ir::Graph graph = test::with_input();
  test::finish(graph, "x");
  ir::Tensor inputs[] = {test::random_tensor({4, 3}, 1)};
  const ir::Tensor result = compile(graph)->forward(inputs, Mode::Eval);
  const float first = result.values<float>()[0];
  inputs[0].values_mut<float>()[0] = 7;
  EXPECT_EQ(result.values<float>()[0], first);
}

// In double precision the parameters are doubles, in and out.
TEST(TorchContract, DoublesStayDoubles) {
  const ir::Graph graph = sequence({"Linear(16, 5)"});
  const auto program = load_engine("torch").compile(graph, {.precision = Precision::Float64});
  ir::State state = program->state();
  EXPECT_EQ(state[0].second.dtype(), ir::DType::Float64);
  state[0].second.values_mut<double>()[0] = 0.1;
  program->load_state(state);
  EXPECT_EQ(program->state(), state);
  program->load_state(graph.state());  // float32 values are taken as well
  EXPECT_EQ(program->state()[0].second, graph.state()[0].second.to(ir::DType::Float64));
}

TEST(TorchContract, SaysWhichLibrariesRun) {
  EXPECT_THAT(load_engine("torch").version(), ContainsRegex("LibTorch .*(OpenBLAS for|MKL)"));
}

INSTANTIATE_TEST_SUITE_P(Engines, ContractTest, ::testing::Values("native", "torch"));
INSTANTIATE_TEST_SUITE_P(Engines, AnyNetworkTest, ::testing::Values("torch"));

}  // namespace
}  // namespace mase::engine
