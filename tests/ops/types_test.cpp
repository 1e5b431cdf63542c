// Shapes, types and costs of what flows through a graph.
#include <gtest/gtest.h>

#include "mase/ops/op.h"

namespace mase::ops {
namespace {

using ir::DType;
using ir::NodeKind;
using ir::NodeRef;

// A graph of one input and calls added by the test; text of each type.
class Net {
 public:
  Net() {
    graph.add({.name = "x", .kind = NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  }

  std::string layer(std::string_view text, std::string_view input = "x") {
    const LayerText read = parse_layer(text);
    return add_layer(graph, *read.op, read.attributes, "l" + std::to_string(graph.nodes().size()),
                     input, random)
        .name;
  }
  std::string function(std::string_view target, std::vector<ir::Value> args, ir::Dict kwargs = {}) {
    return graph
        .add({.name = ir::parent_name(target).second,
              .kind = NodeKind::CallFunction,
              .op = std::string(find_function(target)->name),
              .target = std::string(target),
              .args = std::move(args),
              .kwargs = std::move(kwargs)})
        .name;
  }
  std::string method(std::string_view target, std::vector<ir::Value> args) {
    return graph
        .add({.kind = NodeKind::CallMethod,
              .op = std::string(find_method(target)->name),
              .target = std::string(target),
              .args = std::move(args)})
        .name;
  }
  ir::Named<ValueType> types(ir::Shape x, DType dtype = DType::Float32) const {
    return infer_types(graph, {{"x", TensorType{std::move(x), dtype}}});
  }
  // "[8, 16]", "8", or the message of the error.
  std::string last(ir::Shape x, DType dtype = DType::Float32) const {
    try {
      const ValueType type = types(std::move(x), dtype).back().second;
      const auto* tensor = std::get_if<TensorType>(&type);
      if (!tensor) return ir::repr(std::get<ir::Value>(type));
      return ir::text(tensor->shape) +
             (tensor->dtype == DType::Float32 ? "" : std::string(ir::name(tensor->dtype)));
    } catch (const Error& error) {
      return error.what();
    }
  }
  std::optional<Cost> cost(ir::Shape x, bool exact = false) const {
    const auto all = types(std::move(x));
    const ir::Node& node = graph.nodes().back();
    const Op& op = op_of(node);
    const auto rule = exact && op.exact_cost ? op.exact_cost : op.cost;
    return rule(site_of(graph, node, all), all.back().second);
  }

  ir::Graph graph{"net", "Net"};
  Random random{0};
};

std::string layer_shape(std::string_view text, ir::Shape x) {
  Net net;
  net.layer(text);
  return net.last(std::move(x));
}

TEST(Types, OfLayers) {
  EXPECT_EQ(layer_shape("Linear(16, 5)", {8, 16}), "[8, 5]");
  EXPECT_EQ(layer_shape("Linear(16, 5)", {2, 3, 16}), "[2, 3, 5]");
  EXPECT_EQ(layer_shape("Linear(16, 5)", {16}), "[5]");
  EXPECT_EQ(layer_shape("Linear(16, 5)", {8, 10}),
            "node l1: Linear reads 16 features per row, but its input is [8, 10]");
  EXPECT_EQ(layer_shape("BatchNorm1d(4)", {8, 4}), "[8, 4]");
  EXPECT_EQ(layer_shape("BatchNorm1d(4)", {8, 4, 7}), "[8, 4, 7]");
  EXPECT_EQ(layer_shape("BatchNorm1d(4)", {4}),
            "node l1: BatchNorm1d(4) reads [N, 4] or [N, 4, L], but its input is [4]");
  EXPECT_EQ(layer_shape("Flatten()", {8, 1, 28, 28}), "[8, 784]");
  EXPECT_EQ(layer_shape("Flatten(0, 1)", {8, 2, 3}), "[16, 3]");
  EXPECT_EQ(layer_shape("Flatten(2, 1)", {8, 2, 3}),
            "node l1: flatten from dimension 2 to 1: the first comes after the last");
  EXPECT_EQ(layer_shape("Flatten(4)", {8, 2}), "node l1: dimension 4 is out of range: -2 to 1");
  EXPECT_EQ(layer_shape("Softmax(2)", {8, 2}), "node l1: dimension 2 is out of range: -2 to 1");
  for (std::string_view text : {"ReLU()", "ReLU6()", "Hardtanh()", "Sigmoid()", "Tanh()",
                                "Softmax()", "Dropout()", "Identity()"}) {
    EXPECT_EQ(layer_shape(text, {8, 3}), "[8, 3]") << text;
  }
}

TEST(Types, OfConvolutions) {
  EXPECT_EQ(layer_shape("Conv2d(1, 6, 5)", {8, 1, 28, 28}), "[8, 6, 24, 24]");
  EXPECT_EQ(layer_shape("Conv2d(1, 6, 5)", {1, 28, 28}), "[6, 24, 24]");
  EXPECT_EQ(layer_shape("Conv2d(3, 4, 3, padding=same, dilation=2)", {8, 3, 6, 7}), "[8, 4, 6, 7]");
  EXPECT_EQ(layer_shape("Conv2d(4, 8, (3, 5), 2, groups=2)", {1, 4, 9, 9}), "[1, 8, 4, 3]");
  EXPECT_EQ(layer_shape("Conv1d(3, 4, 3, 2, 1)", {8, 3, 10}), "[8, 4, 5]");
  EXPECT_EQ(layer_shape("BatchNorm2d(4)", {8, 4, 5, 6}), "[8, 4, 5, 6]");
  EXPECT_EQ(layer_shape("Conv2d(3, 6, 5)", {8, 1, 28, 28}),
            "node l1: Conv2d reads [N, 3, H, W], but its input is [8, 1, 28, 28]");
  EXPECT_EQ(layer_shape("Conv2d(1, 6, 5)", {8, 1, 4, 28}),
            "node l1: a window over 5 entries does not fit an input of 4 with padding 0");
  EXPECT_EQ(layer_shape("Conv2d(1, 6, 3, 2, padding=same)", {8, 1, 4, 28}),
            "node l1: padding=same goes with stride 1 only");
  EXPECT_EQ(layer_shape("BatchNorm2d(4)", {8, 4}),
            "node l1: BatchNorm2d(4) reads [N, 4, H, W], but its input is [8, 4]");
  Net net;
  EXPECT_THROW(net.layer("Conv2d(3, 6, 5, groups=2)"), Error);
}

TEST(Types, OfPoolings) {
  EXPECT_EQ(layer_shape("MaxPool2d(2)", {8, 6, 25, 24}), "[8, 6, 12, 12]");
  EXPECT_EQ(layer_shape("MaxPool2d(2, ceil_mode=True)", {8, 6, 25, 24}), "[8, 6, 13, 12]");
  // A last position that would begin in the padding behind is left out.
  EXPECT_EQ(layer_shape("AvgPool2d(2, 3, 1, ceil_mode=True)", {8, 6, 5, 5}), "[8, 6, 2, 2]");
  EXPECT_EQ(layer_shape("MaxPool1d(3, 2, dilation=2)", {8, 6, 11}), "[8, 6, 4]");
  EXPECT_EQ(layer_shape("AvgPool1d(3, 1, 1)", {8, 6, 11}), "[8, 6, 11]");
  EXPECT_EQ(layer_shape("AdaptiveAvgPool2d((None, 3))", {8, 6, 11, 5}), "[8, 6, 11, 3]");
  EXPECT_EQ(layer_shape("AdaptiveAvgPool1d(4)", {8, 6, 11}), "[8, 6, 4]");
  EXPECT_EQ(layer_shape("MaxPool2d(2, padding=2)", {8, 6, 11, 5}),
            "node l1: padding 2 is more than half of the window, 2");
  EXPECT_EQ(layer_shape("MaxPool2d(2)", {8, 6}),
            "node l1: max_pool2d reads [N, C, H, W], but its input is [8, 6]");
  EXPECT_EQ(layer_shape("MaxPool2d(2, return_indices=True)", {8, 6, 11, 5}),
            "node l1: return_indices=True: a pooling gives one tensor here");
}

// F.max_pool2d has ceil_mode before return_indices, the layer behind it; stride follows the window.
// Files may ask for anything: products of sizes must not overflow.
TEST(Types, SizesBeyondAnyMemoryAreRefused) {
  EXPECT_NE(layer_shape("AdaptiveAvgPool2d((1048576, 1048576))", {1, 2000, 3, 3})
                .find("larger than any memory"),
            std::string::npos);
  EXPECT_NE(layer_shape("ReLU()", {std::int64_t{1} << 40, std::int64_t{1} << 40})
                .find("larger than any memory"),
            std::string::npos);
}

TEST(Types, OfPoolingFunctions) {
  Net net;
  const std::string_view max_pool = "torch.nn.functional.max_pool2d";
  net.function(max_pool, {NodeRef{"x"}, 2, 2, 0, 1, true});
  EXPECT_EQ(net.last({8, 6, 5, 5}), "[8, 6, 3, 3]");
  net.function(max_pool, {NodeRef{"x"}}, {{"kernel_size", 2}, {"stride", ir::None{}}});
  EXPECT_EQ(net.last({8, 6, 5, 5}), "[8, 6, 2, 2]");
  net.function(max_pool, {NodeRef{"x"}, ir::List{3, 2}});
  EXPECT_EQ(net.last({8, 6, 6, 5}), "[8, 6, 2, 2]");
  net.function("torch._C._nn.avg_pool2d", {NodeRef{"x"}, 2, 1});
  EXPECT_EQ(net.last({8, 6, 5, 5}), "[8, 6, 4, 4]");
  net.function("torch.nn.functional.adaptive_avg_pool2d", {NodeRef{"x"}, ir::Tuple{{1, 2}}});
  EXPECT_EQ(net.last({8, 6, 5, 5}), "[8, 6, 1, 2]");
}

TEST(Types, IntegersAreRefusedWhereFloatsAreNeeded) {
  Net net;
  net.layer("ReLU()");
  EXPECT_EQ(net.last({2, 3}, DType::Int64),
            "node l1: relu computes with floating-point numbers, but its input is int64");
}

TEST(Types, OfSizesAndReshapes) {
  Net net;
  net.method("size", {NodeRef{"x"}, 0});
  EXPECT_EQ(net.last({8, 1, 2, 2}), "8");
  net.method("view", {NodeRef{"x"}, NodeRef{"size"}, -1});
  EXPECT_EQ(net.last({8, 1, 2, 2}), "[8, 4]");
  net.method("reshape", {NodeRef{"view"}, ir::Tuple{{2, NodeRef{"size"}, 2}}});
  EXPECT_EQ(net.last({8, 1, 2, 2}), "[2, 8, 2]");
  net.function("torch.flatten", {NodeRef{"reshape"}, 1});
  EXPECT_EQ(net.last({8, 1, 2, 2}), "[2, 16]");
  net.function("torch.flatten", {NodeRef{"reshape"}});
  EXPECT_EQ(net.last({8, 1, 2, 2}), "[32]");
  net.function("operator.mul", {NodeRef{"size"}, 3});
  EXPECT_EQ(net.last({8, 1, 2, 2}), "24");
  net.method("view", {NodeRef{"x"}, 3, -1});
  EXPECT_EQ(
      net.last({8, 1, 2, 2}),
      "node view_1: shape [3, -1] is invalid for an input of shape [8, 1, 2, 2] (32 elements)");
}

TEST(Types, OfWholeSizes) {
  Net net;
  net.method("size", {NodeRef{"x"}});
  EXPECT_EQ(net.last({8, 3}), "(8, 3)");
}

std::string sum_shape(ir::Shape a, const ir::Shape& b) {
  Net net;
  net.graph.add_parameter({.name = "c", .value = ir::Tensor(b, DType::Float32)});
  net.graph.add({.name = "c", .kind = NodeKind::GetAttr, .op = "get_attr", .target = "c"});
  net.function("operator.add", {NodeRef{"x"}, NodeRef{"c"}});
  return net.last(std::move(a));
}

TEST(Types, OperandsBroadcast) {
  EXPECT_EQ(sum_shape({8, 5}, {8, 5}), "[8, 5]");
  EXPECT_EQ(sum_shape({8, 5}, {5}), "[8, 5]");
  EXPECT_EQ(sum_shape({8, 1, 3}, {4, 1}), "[8, 4, 3]");
  EXPECT_EQ(sum_shape({8, 5}, {4}),
            "node add: shapes [8, 5] and [4] do not fit: 5 against 4 in dimension 1");
}

std::string product(std::string_view target, ir::Shape a, const ir::Shape& b) {
  Net net;
  net.graph.add_parameter({.name = "c", .value = ir::Tensor(b, DType::Float32)});
  net.graph.add({.name = "c", .kind = NodeKind::GetAttr, .op = "get_attr", .target = "c"});
  net.function(target, {NodeRef{"x"}, NodeRef{"c"}});
  return net.last(std::move(a));
}

TEST(Types, OfMatrixProducts) {
  EXPECT_EQ(product("torch.matmul", {8, 3}, {3, 4}), "[8, 4]");
  EXPECT_EQ(product("torch.matmul", {3}, {3, 4}), "[4]");
  EXPECT_EQ(product("torch.matmul", {8, 3}, {3}), "[8]");
  EXPECT_EQ(product("torch.matmul", {3}, {3}), "[]");
  EXPECT_EQ(product("torch.matmul", {5, 1, 8, 3}, {2, 3, 4}), "[5, 2, 8, 4]");
  EXPECT_EQ(product("torch.matmul", {8, 3}, {4, 4}),
            "node matmul: matmul of [8, 3] and [4, 4]: the inner sizes do not fit");
  EXPECT_EQ(product("torch.bmm", {2, 8, 3}, {2, 3, 4}), "[2, 8, 4]");
  EXPECT_EQ(product("torch.bmm", {8, 3}, {3, 4}),
            "node bmm: bmm reads two batches of matrices, but its inputs are [8, 3] and [3, 4]");
}

TEST(Types, NumbersKeepOrPromoteTheTensor) {
  Net net;
  net.function("operator.add", {NodeRef{"x"}, 2});
  EXPECT_EQ(net.last({3}), "[3]");
  EXPECT_EQ(net.last({3}, DType::Int64), "[3]int64");
  net.function("operator.mul", {2.5, NodeRef{"x"}});
  EXPECT_EQ(net.last({3}, DType::Int64), "[3]");
  EXPECT_EQ(net.last({3}, DType::Float64), "[3]float64");
}

TEST(Types, CallsAreChecked) {
  const auto call = [](std::vector<ir::Value> args, ir::Dict kwargs) {
    Net net;
    net.function("torch.nn.functional.relu", std::move(args), std::move(kwargs));
    return net.last({3});
  };
  EXPECT_EQ(call({NodeRef{"x"}}, {{"inplace", false}}), "[3]");
  EXPECT_EQ(call({NodeRef{"x"}, true}, {}), "[3]");
  EXPECT_EQ(call({}, {{"input", NodeRef{"x"}}}), "[3]");
  EXPECT_EQ(call({NodeRef{"x"}, true, 3}, {}), "node relu: relu takes at most 2 arguments, got 3");
  EXPECT_EQ(call({NodeRef{"x"}}, {{"inplaced", false}}),
            "node relu: relu has no argument 'inplaced' (did you mean 'inplace'?)");
  EXPECT_EQ(call({}, {}), "node relu: relu needs the argument 'input'");
  EXPECT_EQ(call({NodeRef{"y"}}, {}), "node relu: reads 'y', which is not computed before it");
  EXPECT_EQ(call({3}, {}), "node relu: relu needs 1 tensor as input, got 0");
}

TEST(TypeInputs, TensorsAreBatchesWhereTheNetworkReadsThem) {
  const auto sample_of = [](const std::string& layer, const ir::Shape& shape) {
    Net net;
    net.layer(layer);
    ir::Graph graph = net.graph;
    const ir::Tensor tensor(shape, DType::Float32);
    type_inputs(graph, {&tensor, 1});
    EXPECT_TRUE(is_typed(graph));
    return graph.node("x").type->shape;
  };
  EXPECT_EQ(sample_of("Linear(4, 2)", {8, 4}), ir::Shape{4});
  EXPECT_EQ(sample_of("Linear(4, 2)", {4}), ir::Shape{4}) << "one row";
  EXPECT_EQ(sample_of("Conv2d(3, 2, 2)", {5, 3, 6, 6}), (ir::Shape{3, 6, 6}));
  EXPECT_EQ(sample_of("Conv2d(3, 2, 2)", {3, 6, 6}), (ir::Shape{3, 6, 6})) << "one image";
  EXPECT_EQ(sample_of("BatchNorm1d(4)", {7, 4}), ir::Shape{4});
  EXPECT_EQ(sample_of("ReLU()", {7, 4}), ir::Shape{4});
}

TEST(TypeInputs, WhatIsTypedStays) {
  Net net;
  net.layer("Linear(4, 2)");
  ir::Graph graph = net.graph;
  graph.node("x").type = TensorType{{4}, DType::Float32};
  const ir::Tensor other({3, 9}, DType::Float32);
  type_inputs(graph, {&other, 1});
  EXPECT_EQ(graph.node("x").type->shape, ir::Shape{4});
  EXPECT_EQ(std::get<TensorType>(infer_types(graph, 5).back().second).shape, (ir::Shape{5, 2}));
}

TEST(TypeInputs, AnInputThatIsNotTypedIsNamed) {
  Net net;
  net.layer("ReLU()");
  EXPECT_FALSE(is_typed(net.graph));
  try {
    infer_types(net.graph, 2);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_EQ(error.where().node, "x");
  }
}

TEST(Types, AMissingInputIsNamed) {
  Net net;
  net.layer("ReLU()");
  EXPECT_THROW(infer_types(net.graph, {{"y", TensorType{{3}, DType::Float32}}}), Error);
}

std::string arguments(const Net& net, ir::Shape x) {
  const auto types = net.types(std::move(x));
  std::string out;
  for (const CallArgument& argument :
       call_arguments(site_of(net.graph, net.graph.nodes().back(), types))) {
    const auto* value = std::get_if<ir::Value>(&argument.type);
    out += argument.name + (value ? "=" + ir::repr(*value) : "") + " ";
  }
  return out;
}

TEST(CallArguments, AreNamedAsInTheMetadata) {
  Net net;
  net.function("operator.add", {2, NodeRef{"x"}});
  EXPECT_EQ(arguments(net, {4}), "data_in_0 input=2 ");
  net.function("operator.sub", {NodeRef{"x"}, 2});
  EXPECT_EQ(arguments(net, {4}), "data_in_0 other=2 ");
  net.function("operator.mul", {NodeRef{"x"}, NodeRef{"sub"}});
  EXPECT_EQ(arguments(net, {4}), "data_in_0 data_in_1 ");
  net.function("torch.nn.functional.relu", {NodeRef{"x"}}, {{"inplace", false}});
  EXPECT_EQ(arguments(net, {4}), "data_in_0 inplace=False ");
  net.method("size", {NodeRef{"x"}, 0});
  EXPECT_EQ(arguments(net, {4}), "dim=0 ");
  net.method("view", {NodeRef{"x"}, NodeRef{"size"}, -1});
  EXPECT_EQ(arguments(net, {4}), "shape_0=4 shape_1=-1 ");
  net.layer("Softmax(1)", "view");
  EXPECT_EQ(arguments(net, {4}), "data_in_0 ");
}

void expect_cost(std::string_view text, ir::Shape x, const Cost& wanted, bool exact = false) {
  Net net;
  net.layer(text);
  const std::optional<Cost> cost = net.cost(std::move(x), exact);
  ASSERT_TRUE(cost) << text;
  EXPECT_EQ(cost->total_parameters, wanted.total_parameters) << text;
  EXPECT_EQ(cost->computations, wanted.computations) << text;
  EXPECT_EQ(cost->backward_computations, wanted.backward_computations) << text;
  EXPECT_EQ(cost->input_buffer_size, wanted.input_buffer_size) << text;
  EXPECT_EQ(cost->output_buffer_size, wanted.output_buffer_size) << text;
  EXPECT_EQ(cost->fractional, wanted.fractional) << text;
}

TEST(Cost, OfTheLayersOfJscTiny) {
  expect_cost("BatchNorm1d(16)", {8, 16}, {32, 512, 512, 128, 128});
  expect_cost("ReLU(16)", {8, 16}, {0, 128, 128, 128, 128});
  expect_cost("Linear(16, 5)", {8, 16}, {80, 640, 1280, 128, 40, true});
  expect_cost("Linear(6, 5)", {2, 4, 6}, {30, 240, 480, 48, 40, true});
  expect_cost("ReLU6()", {2, 5}, {0, 10, 10, 10, 10});
  expect_cost("Dropout()", {2, 5}, {0, 0, 0, 10, 10});
}

// As the original's calculators count them.
TEST(Cost, OfConvolutionsAndPoolings) {
  expect_cost("Conv2d(3, 4, 3, padding=1)", {1, 3, 8, 8}, {108, 6912, 10368, 192, 256});
  expect_cost("Conv2d(4, 8, (3, 5), 2, groups=2, bias=False)", {1, 4, 9, 9},
              {240, 5760, 38880, 324, 96});
  expect_cost("Conv1d(2, 3, 3)", {1, 2, 7}, {18, 90, 168, 14, 15});
  expect_cost("MaxPool2d(2)", {1, 3, 8, 8}, {0, 192, 768, 192, 48});
  expect_cost("MaxPool2d(3, 2, 1)", {2, 3, 8, 8}, {0, 864, 3456, 384, 96});
  expect_cost("AvgPool2d((2, 3))", {1, 3, 8, 9}, {0, 216, 1296, 216, 36});
  expect_cost("AdaptiveAvgPool2d((2, 2))", {2, 3, 8, 8}, {0, 384, 384, 384, 24});
  expect_cost("BatchNorm2d(3)", {2, 3, 4, 4}, {6, 384, 384, 96, 96});
}

void expect_exact(std::string_view text, ir::Shape x, const Cost& wanted) {
  expect_cost(text, std::move(x), wanted, true);
}

// 8 rows of 16 features: 80 weights and 5 biases each; four groups read a quarter of the channels.
TEST(Cost, ExactlyWithBiasesAndGroups) {
  expect_exact("Linear(16, 5)", {8, 16}, {85, 680, 1320, 128, 40});
  expect_exact("Linear(16, 5, bias=False)", {8, 16}, {80, 640, 1280, 128, 40});
  expect_exact("Conv2d(8, 16, kernel_size=3, padding=1, groups=4, bias=False)", {1, 8, 28, 28},
               {288, 225792, 451584, 6272, 12544});
  expect_exact("Conv2d(8, 16, kernel_size=3, padding=1, groups=4)", {1, 8, 28, 28},
               {304, 238336, 464128, 6272, 12544});
  expect_exact("Conv1d(2, 3, 3)", {1, 2, 7}, {21, 105, 195, 14, 15});
  expect_exact("MaxPool2d(2)", {1, 3, 8, 8}, {0, 192, 48, 192, 48});
  expect_exact("AvgPool2d((2, 3))", {1, 3, 8, 9}, {0, 216, 216, 216, 36});
  expect_exact("ReLU(16)", {8, 16}, {0, 128, 128, 128, 128});
}

// What a layer owns is what the exact rule counts.
TEST(Cost, ExactParametersAreThoseOfTheGraph) {
  for (const std::string_view text :
       {"Linear(16, 5)", "Linear(16, 5, bias=False)", "BatchNorm1d(16)", "ReLU(16)"}) {
    Net net;
    net.layer(text);
    EXPECT_EQ(net.cost({8, 16}, true)->total_parameters,
              static_cast<double>(net.graph.parameter_count()))
        << text;
  }
}

TEST(Cost, OfFunctions) {
  Net net;
  net.function("operator.add", {NodeRef{"x"}, NodeRef{"x"}});
  EXPECT_EQ(net.cost({8, 5})->computations, 40);
  net.function("torch.matmul", {NodeRef{"x"}, NodeRef{"add"}});
  EXPECT_EQ(net.cost({5, 5})->computations, 125);
  EXPECT_EQ(net.cost({5, 5})->input_buffer_size, 50);
}

}  // namespace
}  // namespace mase::ops
