// Every op, one by one: results against formulas written out here in double precision, types of
// results against the ops' shape rules, gradients against differences of the loss.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "mase/support/error.h"
#include "tests/engine/op_case.h"

namespace mase::engine {
namespace {

using test::Numbers;
using test::OpCase;

Numbers numbers(const ir::Tensor& tensor) {
  Numbers out;
  for (std::int64_t i = 0; i < tensor.size(); ++i) out.push_back(tensor.at(i));
  return out;
}

Numbers each(const Numbers& x, const std::function<double(double)>& f) {
  Numbers out;
  for (double v : x) out.push_back(f(v));
  return out;
}

// A graph of one call on its placeholders.
ir::Graph call(ir::NodeKind kind, const std::string& op, const std::string& target,
               std::vector<ir::Value> args, ir::Dict kwargs = {}, bool two = false) {
  ir::Graph graph = test::with_input();
  if (two) {
    graph.add({.name = "y", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "y"});
  }
  graph.add({.name = "result",
             .kind = kind,
             .op = op,
             .target = target,
             .args = std::move(args),
             .kwargs = std::move(kwargs)});
  test::finish(graph, "result");
  return graph;
}

ir::Graph function(const std::string& op, std::vector<ir::Value> args, ir::Dict kwargs = {},
                   bool two = false) {
  const std::string target(ops::find_op(op)->functions.front());
  return call(ir::NodeKind::CallFunction, op, target, std::move(args), std::move(kwargs), two);
}

ir::Graph method(const std::string& op, std::vector<ir::Value> args) {
  return call(ir::NodeKind::CallMethod, op, op, std::move(args));
}

const ir::NodeRef kX{"x"};
const ir::NodeRef kY{"y"};

// C = A B for row-major [n, k] and [k, m].
Numbers product(const double* a, const double* b, std::int64_t n, std::int64_t k, std::int64_t m) {
  Numbers out(static_cast<std::size_t>(n * m));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < m; ++j) {
      double sum = 0;
      for (std::int64_t t = 0; t < k; ++t) sum += a[i * k + t] * b[t * m + j];
      out[static_cast<std::size_t>(i * m + j)] = sum;
    }
  }
  return out;
}

Numbers softmax(const Numbers& x, std::int64_t outer, std::int64_t size, std::int64_t inner) {
  Numbers out(x.size());
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      const auto at = [&](std::int64_t k) {
        return static_cast<std::size_t>((o * size + k) * inner + i);
      };
      double sum = 0;
      for (std::int64_t k = 0; k < size; ++k) sum += std::exp(x[at(k)]);
      for (std::int64_t k = 0; k < size; ++k) out[at(k)] = std::exp(x[at(k)]) / sum;
    }
  }
  return out;
}

std::vector<OpCase> activations() {
  const ir::Tensor x = test::random_tensor({5, 7}, 1, -9, 9);
  const Numbers v = numbers(x);
  const auto clamped = [](double low, double high) {
    return [=](double a) { return std::min(std::max(a, low), high); };
  };
  const auto sigmoid = [](double a) { return 1 / (1 + std::exp(-a)); };
  const auto tangent = [](double a) { return std::tanh(a); };
  const auto relu = [](double a) { return std::max(a, 0.0); };
  const ir::Tensor cube = test::random_tensor({2, 3, 4}, 2, -3, 3);
  return {
      {"relu", test::sequence({"ReLU()"}), {x}, each(v, relu)},
      {"relu in place", test::sequence({"ReLU(inplace=True)"}), {x}, each(v, relu)},
      {"relu function", function("relu", {kX}, {{"inplace", true}}), {x}, each(v, relu)},
      {"relu6", test::sequence({"ReLU6()"}), {x}, each(v, clamped(0, 6))},
      {"hardtanh", test::sequence({"Hardtanh(-2.5, 3.0)"}), {x}, each(v, clamped(-2.5, 3))},
      {"sigmoid", test::sequence({"Sigmoid()"}), {x}, each(v, sigmoid)},
      {"sigmoid function", function("sigmoid", {kX}), {x}, each(v, sigmoid)},
      {"tanh", test::sequence({"Tanh()"}), {x}, each(v, tangent)},
      {"softmax", test::sequence({"Softmax(dim=1)"}), {x}, softmax(v, 5, 7, 1)},
      {"softmax of columns", test::sequence({"Softmax(dim=0)"}), {x}, softmax(v, 1, 5, 7)},
      {"softmax, no dimension, 2-D", test::sequence({"Softmax()"}), {x}, softmax(v, 5, 7, 1)},
      {"softmax, no dimension, 3-D",
       function("softmax", {kX}),
       {cube},
       softmax(numbers(cube), 1, 2, 12)},
      {"identity", test::sequence({"Identity()"}), {x}, v},
      {"dropout in evaluation", test::sequence({"Dropout(p=0.7)"}), {x}, v},
      {"dropout of nothing", test::sequence({"Dropout(p=0.0)"}), {x}, v, Mode::Train},
  };
}

std::vector<OpCase> arithmetic() {
  const ir::Tensor x = test::random_tensor({3, 4}, 3);
  const ir::Tensor y = test::random_tensor({3, 4}, 4);
  const ir::Tensor row = test::random_tensor({4}, 5);
  const ir::Tensor a = test::random_tensor({2, 3, 4}, 6);
  const ir::Tensor b = test::random_tensor({2, 4, 5}, 7);
  const auto zipped = [&](const ir::Tensor& second,
                          const std::function<double(double, double)>& f) {
    Numbers out;
    for (std::int64_t i = 0; i < x.size(); ++i)
      out.push_back(f(x.at(i), second.at(i % second.size())));
    return out;
  };
  Numbers batched;
  for (int i = 0; i < 2; ++i) {
    const Numbers part = product(numbers(a).data() + i * 12, numbers(b).data() + i * 20, 3, 4, 5);
    batched.insert(batched.end(), part.begin(), part.end());
  }
  const ir::Tensor square = test::random_tensor({4, 6}, 8);
  const std::vector<ir::Value> both = {kX, kY};
  return {
      {"add", function("add", both, {}, true), {x, y}, zipped(y, std::plus<>())},
      {"add a row", function("add", both, {}, true), {x, row}, zipped(row, std::plus<>())},
      {"add a number",
       function("add", {kX, 2}),
       {x},
       each(numbers(x), [](double v) { return v + 2; })},
      {"add by keyword",
       function("add", {kX}, {{"other", kY}}, true),
       {x, y},
       zipped(y, std::plus<>())},
      {"sub", function("sub", both, {}, true), {x, y}, zipped(y, std::minus<>())},
      {"number minus",
       function("sub", {1.5, kX}),
       {x},
       each(numbers(x), [](double v) { return 1.5 - v; })},
      {"mul", function("mul", both, {}, true), {x, y}, zipped(y, std::multiplies<>())},
      {"mul by a number",
       function("mul", {kX, 0.25}),
       {x},
       each(numbers(x), [](double v) { return v / 4; })},
      {"matmul",
       function("matmul", both, {}, true),
       {x, square},
       product(numbers(x).data(), numbers(square).data(), 3, 4, 6)},
      {"matmul with a vector",
       function("matmul", both, {}, true),
       {x, row},
       product(numbers(x).data(), numbers(row).data(), 3, 4, 1)},
      {"matmul of batches", function("matmul", both, {}, true), {a, b}, batched},
      {"bmm", function("bmm", both, {}, true), {a, b}, batched},
  };
}

std::vector<OpCase> shapes() {
  const ir::Tensor x = test::random_tensor({2, 3, 4}, 9);
  const Numbers v = numbers(x);
  ir::Graph by_size = test::with_input();
  by_size.add({.name = "size",
               .kind = ir::NodeKind::CallMethod,
               .op = "size",
               .target = "size",
               .args = {kX, 0}});
  by_size.add({.name = "mul",
               .kind = ir::NodeKind::CallFunction,
               .op = "mul",
               .target = "operator.mul",
               .args = {ir::NodeRef{"size"}, 3}});
  by_size.add({.name = "view",
               .kind = ir::NodeKind::CallMethod,
               .op = "view",
               .target = "view",
               .args = {kX, ir::NodeRef{"mul"}, -1}});
  test::finish(by_size, "view");
  return {
      {"flatten", test::sequence({"Flatten()"}), {x}, v},
      {"flatten function", function("flatten", {kX, 1}), {x}, v},
      {"flatten all", function("flatten", {kX}), {x}, v},
      {"view", method("view", {kX, 6, -1}), {x}, v},
      {"view of a tuple", method("view", {kX, ir::Tuple{{-1, 12}}}), {x}, v},
      {"view by size", by_size, {x}, v},
      {"reshape", method("reshape", {kX, 4, 6}), {x}, v},
      {"reshape function", function("reshape", {kX, ir::Tuple{{24}}}), {x}, v},
  };
}

struct NormCase {
  std::string layer;
  ir::Shape shape;
  Mode mode;
};

// A batch norm with running statistics other than 0 and 1.
OpCase batch_norm(const NormCase& c) {
  OpCase out{
      .name = c.layer + " " + ir::text(c.shape) + (c.mode == Mode::Train ? " train" : " eval"),
      .graph = test::sequence({c.layer}),
      .inputs = {test::random_tensor(c.shape, 12, -2, 3)},
      .expected = {},
      .mode = c.mode};
  const std::int64_t channels = c.shape[1];
  for (ir::Parameter& p : out.graph.parameters_mut()) {
    if (p.value.dtype() != ir::DType::Float32) continue;
    p.value = test::random_tensor({channels}, p.name.size(), 0.5f, 2.0f);
  }
  const auto entry = [&](const char* name, std::int64_t k, double otherwise) {
    const ir::Parameter* p = out.graph.find_parameter(std::string("seq_blocks.0.") + name);
    return p ? p->value.at(k) : otherwise;
  };
  const std::int64_t length = ir::element_count(c.shape) / (c.shape[0] * channels);
  const bool of_batch =
      c.mode == Mode::Train || !out.graph.find_parameter("seq_blocks.0.running_mean");
  const Numbers x = numbers(out.inputs[0]);
  out.expected.resize(x.size());
  for (std::int64_t k = 0; k < channels; ++k) {
    const auto visit = [&](const std::function<void(std::size_t)>& f) {
      for (std::int64_t n = 0; n < c.shape[0]; ++n) {
        for (std::int64_t l = 0; l < length; ++l) {
          f(static_cast<std::size_t>((n * channels + k) * length + l));
        }
      }
    };
    const double count = static_cast<double>(c.shape[0] * length);
    double mean = 0;
    double variance = 0;
    visit([&](std::size_t i) { mean += x[i] / count; });
    visit([&](std::size_t i) { variance += (x[i] - mean) * (x[i] - mean) / count; });
    if (!of_batch) {
      mean = entry("running_mean", k, 0);
      variance = entry("running_var", k, 1);
    }
    const double scale = entry("weight", k, 1) / std::sqrt(variance + 1e-5);
    visit([&](std::size_t i) { out.expected[i] = (x[i] - mean) * scale + entry("bias", k, 0); });
  }
  return out;
}

OpCase linear(const std::string& layer, ir::Shape shape) {
  OpCase out{.name = layer + " " + ir::text(shape),
             .graph = test::sequence({layer}),
             .inputs = {test::random_tensor(shape, 13)},
             .expected = {}};
  const ir::Tensor weight = out.graph.find_parameter("seq_blocks.0.weight")->value;
  const ir::Parameter* bias = out.graph.find_parameter("seq_blocks.0.bias");
  const std::int64_t in = weight.dim(1);
  const std::int64_t features = weight.dim(0);
  for (std::int64_t row = 0; row < out.inputs[0].size() / in; ++row) {
    for (std::int64_t k = 0; k < features; ++k) {
      double sum = bias ? bias->value.at(k) : 0;
      for (std::int64_t t = 0; t < in; ++t) {
        sum += weight.at(k * in + t) * out.inputs[0].at(row * in + t);
      }
      out.expected.push_back(sum);
    }
  }
  return out;
}

std::vector<OpCase> all_cases() {
  std::vector<OpCase> out = {linear("Linear(7, 5)", {6, 7}),
                             linear("Linear(7, 5, bias=False)", {6, 7}),
                             linear("Linear(3, 2)", {2, 4, 3}), linear("Linear(3, 2)", {3})};
  for (const char* layer : {"BatchNorm1d(3)", "BatchNorm1d(3, affine=False)",
                            "BatchNorm1d(3, track_running_stats=False)"}) {
    for (const Mode mode : {Mode::Train, Mode::Eval}) {
      out.push_back(batch_norm({layer, {9, 3}, mode}));
      out.push_back(batch_norm({layer, {2, 3, 5}, mode}));
    }
  }
  for (const Mode mode : {Mode::Train, Mode::Eval}) {
    out.push_back(batch_norm({"BatchNorm2d(3)", {4, 3, 5, 2}, mode}));
    out.push_back(batch_norm({"BatchNorm2d(2)", {1, 2, 3, 3}, mode}));
  }
  for (std::vector<OpCase> part :
       {activations(), arithmetic(), shapes(), test::convolution_cases(), test::pooling_cases()}) {
    for (OpCase& c : part) out.push_back(std::move(c));
  }
  return out;
}

class OpTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Program> compile(const ir::Graph& graph, const ProgramOptions& options = {}) {
    const Engine& engine = load_engine(GetParam());
    return engine.why_not(graph, options).empty() ? engine.compile(graph, options) : nullptr;
  }
};

// The types that the ops' rules derive, against what the program gave for every node.
void check_types(const OpCase& c, Program& program, Precision precision) {
  ir::Named<ops::TensorType> given;
  const std::vector<std::string> placeholders = c.graph.placeholders();
  for (std::size_t i = 0; i < placeholders.size(); ++i) {
    given.emplace_back(placeholders[i], ops::TensorType{c.inputs[i].shape(), c.inputs[i].dtype()});
  }
  const ir::Named<ir::Value> results = program.capture_results(c.inputs, c.mode);
  for (const auto& [node, type] : ops::infer_types(c.graph, given)) {
    const ir::Value* result = ir::find(results, node);
    ASSERT_NE(result, nullptr) << node;
    if (const auto* plain = std::get_if<ir::Value>(&type)) {
      EXPECT_EQ(*result, *plain) << node;
      continue;
    }
    const auto* tensor = result->get<ir::Tensor>();
    ASSERT_NE(tensor, nullptr) << node;
    EXPECT_EQ(tensor->shape(), std::get<ops::TensorType>(type).shape) << node;
    if (precision == Precision::Float32) {
      EXPECT_EQ(tensor->dtype(), std::get<ops::TensorType>(type).dtype) << node;
    }
  }
}

// Undefined if the engine takes no inputs of these shapes, which it may only see when it runs.
ir::Tensor forward_if_supported(Program& program, const OpCase& c) {
  try {
    return program.forward(c.inputs, c.mode);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Unsupported) throw;
    return {};
  }
}

TEST_P(OpTest, ResultsEqualTheFormulas) {
  std::set<std::string> covered;
  for (const OpCase& c : all_cases()) {
    SCOPED_TRACE(c.name);
    ir::Graph graph = c.graph;
    for (const std::string& input : graph.placeholders()) graph.node(input).type.reset();
    ops::type_inputs(graph, c.inputs);
    for (const Precision precision :
         {Precision::Float32, Precision::Float64, Precision::BFloat16Mixed}) {
      const auto program = compile(graph, {.precision = precision});
      if (!program) continue;
      const ir::Tensor result = forward_if_supported(*program, c);
      if (!result.defined()) continue;
      for (const ir::Node& node : c.graph) covered.insert(node.op);
      ASSERT_EQ(result.size(), static_cast<std::int64_t>(c.expected.size()));
      const double tolerance = precision == Precision::Float32   ? 2e-5
                               : precision == Precision::Float64 ? 1e-12
                                                                 : 0.03;
      for (std::int64_t i = 0; i < result.size(); ++i) {
        const double expected = c.expected[static_cast<std::size_t>(i)];
        ASSERT_NEAR(result.at(i), expected, tolerance * (1 + std::abs(expected))) << i;
      }
      check_types(c, *program, precision);
    }
  }
  for (const char* op :
       {"linear", "conv1d", "conv2d", "batch_norm2d", "max_pool1d", "max_pool2d", "avg_pool1d",
        "avg_pool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d"}) {
    EXPECT_TRUE(covered.contains(op)) << op;
  }
  if (GetParam() != "torch") return;
  // The one engine that has everything: each op of the table stood in some case.
  for (const ops::Op* op : ops::ops()) {
    EXPECT_TRUE(covered.contains(std::string(op->name))) << op->name << " has no case";
  }
}

// d loss / d parameter by central differences, in double precision and training mode. A step that
// is not followed by an update returns the loss and changes no parameter.
void check_gradients(const ir::Graph& graph, Program& program, const test::Data& data) {
  const auto rows = test::range(0, static_cast<std::uint32_t>(data.features.dim(0)));
  const Batch batch{
      .features = &data.features, .labels = &data.labels, .rows = rows, .next_rows = {}};
  const ir::State gradients = program.gradients(batch);
  const ir::State start = program.state();
  const auto loss = [&](const std::string& name, std::int64_t i, double shift) {
    ir::State moved = start;
    ir::Tensor& value = *ir::find(moved, name);
    value.values_mut<double>()[static_cast<std::size_t>(i)] += shift;
    program.load_state(moved);
    return program.train_step(batch, {.update = false}).loss;
  };
  ASSERT_FALSE(gradients.empty());
  for (const auto& [name, gradient] : gradients) {
    ASSERT_FALSE(graph.find_parameter(name)->is_buffer);
    for (std::int64_t i = 0; i < gradient.size(); ++i) {
      const double slope = (loss(name, i, 1e-6) - loss(name, i, -1e-6)) / 2e-6;
      ASSERT_NEAR(gradient.at(i), slope, 2e-7) << name << " " << i;
    }
  }
}

// The engine that computes in double precision, too.
class DoubleOpTest : public OpTest {};

TEST_P(DoubleOpTest, GradientsEqualDifferences) {
  const std::vector<std::vector<std::string>> networks = {
      {"Linear(4, 6)", "ReLU()", "Linear(6, 3)"},
      {"BatchNorm1d(4)", "Linear(4, 5)", "Tanh()", "BatchNorm1d(5)", "Linear(5, 3)"},
      {"Linear(4, 5)", "Sigmoid()", "Dropout(p=0.4)", "Linear(5, 3)", "Softmax(dim=1)"},
      {"Linear(4, 5)", "ReLU6()", "Flatten()", "Identity()", "Linear(5, 3)", "Hardtanh(-0.4, 0.5)"},
  };
  const std::vector<std::vector<std::string>> on_images = {
      {"Conv2d(1, 2, 2, padding=1)", "BatchNorm2d(2)", "ReLU()", "MaxPool2d(2, 1)",
       "Conv2d(2, 3, 2, 2)", "AvgPool2d(1)", "AdaptiveAvgPool2d(1)", "Flatten()"},
      {"Flatten(2)", "Conv1d(1, 3, 2, padding=1)", "Tanh()", "MaxPool1d(2)", "AvgPool1d(2, 1, 1)",
       "AdaptiveAvgPool1d(1)", "Flatten()"}};
  const test::Data data = test::classes(9, 4, 3);
  test::Data images = data;
  images.features = images.features.reshaped({9, 1, 2, 2});
  for (const auto& layers : on_images) {
    SCOPED_TRACE(layers[1]);
    const ir::Graph graph = test::sequence(layers, 5);
    const auto program = compile(graph, {.precision = Precision::Float64, .seed = 2});
    ASSERT_TRUE(program);
    program->set_optimiser({});
    check_gradients(graph, *program, images);
  }
  for (const auto& layers : networks) {
    SCOPED_TRACE(layers[1]);
    const ir::Graph graph = test::sequence(layers, 5);
    const auto program = compile(graph, {.precision = Precision::Float64, .seed = 2});
    ASSERT_TRUE(program);
    program->set_optimiser({});
    check_gradients(graph, *program, data);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, OpTest, ::testing::Values("native", "torch"));
INSTANTIATE_TEST_SUITE_P(Engines, DoubleOpTest, ::testing::Values("torch"));

}  // namespace
}  // namespace mase::engine
