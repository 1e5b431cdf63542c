// Chains, branches, tails, formats and windows: every kind of step the native engine has.
#include "tests/engine/native_cases.h"

#include <utility>

#include "tests/engine/networks.h"

namespace mase::engine::test {
namespace {

ir::Graph branches() {
  ir::Graph graph = with_input();
  Random random(3);
  const auto layer = [&](const std::string& text, const std::string& path,
                         const std::string& from) {
    const ops::LayerText parsed = ops::parse_layer(text);
    return ops::add_layer(graph, *parsed.op, parsed.attributes, path, from, random).name;
  };
  const auto call = [&](const std::string& op, ir::Value a, ir::Value b) {
    return graph
        .add({.name = op,
              .kind = ir::NodeKind::CallFunction,
              .op = op,
              .target = "operator." + op,
              .args = {std::move(a), std::move(b)}})
        .name;
  };
  const std::string left = layer("Linear(7, 6)", "left", "x");
  const std::string right = layer("Tanh()", "act", layer("Linear(7, 6)", "right", "x"));
  const std::string product = call("mul", ir::NodeRef{left}, ir::NodeRef{right});
  const std::string sum = call("add", ir::NodeRef{product}, ir::NodeRef{left});
  const std::string shifted = call("sub", 0.5, ir::NodeRef{sum});
  const std::string twice = call("add", ir::NodeRef{shifted}, ir::NodeRef{shifted});
  const std::string scaled = call("mul", ir::NodeRef{twice}, 3);
  const std::string normal = layer("BatchNorm1d(6)", "bn", scaled);
  const std::string bounded = layer("Hardtanh(-1.0, 1.5)", "clip", normal);
  finish(graph, layer("Linear(6, 4)", "head", bounded));
  return graph;
}

}  // namespace

std::vector<NativeCase> native_cases() {
  std::vector<NativeCase> cases{
      {"toy", jsc_toy(), {16}},
      {"no_norm",
       sequence({"Linear(20, 33)", "ReLU()", "Linear(33, 17)", "Sigmoid()", "Linear(17, 4)"}),
       {20}},
      {"tails", sequence({"BatchNorm1d(3)", "Linear(3, 5)", "ReLU6()", "Linear(5, 2)"}), {3}},
      {"softmax", sequence({"Linear(9, 5)", "BatchNorm1d(5)", "Softmax(dim=1)"}), {9}},
      {"affine_off",
       sequence({"BatchNorm1d(6, affine=False)", "Linear(6, 3, bias=False)", "Identity()"}),
       {6}},
      {"dropout", sequence({"Linear(8, 16)", "ReLU()", "Dropout(p=0.5)", "Linear(16, 4)"}), {8}},
      {"branches", branches(), {7}},
      {"quantised", quantised(jsc_toy(), "linear", 8, 4), {16}},
      {"quantised_relu", quantised(quantised(jsc_toy(), "linear", 8, 4), "relu", 6, 3), {16}},
      {"quantised_small",
       quantised(sequence({"Linear(5, 7)", "ReLU()", "Linear(7, 3)"}), "linear", 4, 2),
       {5}},
      {"lenet",
       sequence({"Conv2d(1, 6, 5)", "ReLU()", "MaxPool2d(2)", "Conv2d(6, 16, 3)", "ReLU()",
                 "MaxPool2d(2)", "Flatten()", "Linear(16, 12)", "ReLU()", "Linear(12, 5)"}),
       {1, 13, 12}},
      {"images_normalised",
       sequence({"BatchNorm2d(2)", "Conv2d(2, 5, 3, 1, 1)", "BatchNorm2d(5)", "ReLU()",
                 "MaxPool2d(3, 2, 1)", "Conv2d(5, 4, 2, padding=same)", "BatchNorm2d(4)", "Tanh()",
                 "AdaptiveAvgPool2d((2, 2))", "Flatten()", "Linear(16, 3)"}),
       {2, 6, 5}},
      {"sequences",
       sequence({"Conv1d(3, 6, 3, 2, 2, dilation=2, groups=3)", "BatchNorm1d(6)", "ReLU()",
                 "AvgPool1d(3, 1, 1)", "Conv1d(6, 7, 2)", "Sigmoid()", "MaxPool1d(2, 1)",
                 "Dropout(p=0.3)", "Flatten()", "Linear(21, 4)"}),
       {3, 9}},
      {"strided",
       sequence({"Conv2d(1, 3, 2, 3)", "Conv2d(3, 4, (3, 1), (2, 1), (1, 0), bias=False)",
                 "AvgPool2d(2, 1, ceil_mode=True)", "Conv2d(4, 2, 1)", "Flatten()",
                 "Linear(4, 3)"}),
       {1, 10, 9}},
      {"quantised_conv",
       quantised(quantised(sequence({"Conv2d(1, 4, 3)", "ReLU()", "MaxPool2d(2)", "Conv2d(4, 3, 2)",
                                     "Flatten()", "Linear(12, 3)"}),
                           "conv2d", 8, 4),
                 "linear", 8, 4),
       {1, 8, 8}},
  };
  for (NativeCase& one : cases) one.graph = typed(std::move(one.graph), one.sample);
  return cases;
}

}  // namespace mase::engine::test
