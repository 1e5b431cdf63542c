// Layers as text: PyTorch's printed forms, what users write, and what they are told when it is
// wrong.
#include <gtest/gtest.h>

#include "mase/ops/op.h"
#include "mase/support/random.h"

namespace mase::ops {
namespace {

ir::Node layer(std::string_view text) {
  LayerText read = parse_layer(text);
  return {.name = "n",
          .kind = ir::NodeKind::CallModule,
          .op = std::string(read.op->name),
          .target = "n",
          .attributes = read.attributes};
}

std::string printed(std::string_view text) {
  return print_layer(layer(text));
}

std::string message(std::string_view text, const Location& where = {}) {
  try {
    parse_layer(text, where);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    return error.what();
  }
  return "";
}

TEST(LayerText, PrintsAsPyTorch) {
  EXPECT_EQ(printed("Linear(16, 5)"), "Linear(in_features=16, out_features=5, bias=True)");
  EXPECT_EQ(printed("Linear(16, out_features=5, bias=False)"),
            "Linear(in_features=16, out_features=5, bias=False)");
  EXPECT_EQ(printed("BatchNorm1d(60, eps=1e-3)"),
            "BatchNorm1d(60, eps=0.001, momentum=0.1, affine=True, track_running_stats=True)");
  EXPECT_EQ(printed("nn.BatchNorm1d(16)"),
            "BatchNorm1d(16, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)");
  // As versions print it that give it a bias of its own.
  EXPECT_EQ(printed("BatchNorm1d(16, eps=1e-05, momentum=None, affine=True, bias=True, "
                    "track_running_stats=True)"),
            "BatchNorm1d(16, eps=1e-05, momentum=None, affine=True, track_running_stats=True)");
  EXPECT_EQ(printed("BatchNorm2d(6, bias=False)"),
            "BatchNorm2d(6, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, "
            "bias=False)");
  EXPECT_EQ(printed("ReLU"), "ReLU()");
  EXPECT_EQ(printed("ReLU()"), "ReLU()");
  // The first argument of ReLU is the in-place flag, and any number but 0 is true.
  EXPECT_EQ(printed("ReLU(16)"), "ReLU(inplace=True)");
  EXPECT_EQ(printed("ReLU(inplace=True)"), "ReLU(inplace=True)");
  EXPECT_EQ(printed("torch.nn.ReLU6(True)"), "ReLU6(inplace=True)");
  EXPECT_EQ(printed("Hardtanh()"), "Hardtanh(min_val=-1.0, max_val=1.0)");
  EXPECT_EQ(printed("Hardtanh(-2, 2.5, inplace=True)"),
            "Hardtanh(min_val=-2, max_val=2.5, inplace=True)");
  EXPECT_EQ(printed("Sigmoid()"), "Sigmoid()");
  EXPECT_EQ(printed("Tanh()"), "Tanh()");
  EXPECT_EQ(printed("Softmax()"), "Softmax(dim=None)");
  EXPECT_EQ(printed("Softmax(dim=-1)"), "Softmax(dim=-1)");
  EXPECT_EQ(printed(" Dropout( 0.25 , )"), "Dropout(p=0.25, inplace=False)");
  EXPECT_EQ(printed("Identity()"), "Identity()");
  EXPECT_EQ(printed("Flatten()"), "Flatten(start_dim=1, end_dim=-1)");
}

TEST(LayerText, ConvolutionsPrintAsPyTorch) {
  EXPECT_EQ(printed("Conv2d(1, 6, 5)"), "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))");
  EXPECT_EQ(printed("nn.Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))"),
            "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))");
  EXPECT_EQ(printed("Conv2d(4, 6, (3, 2), stride=[2, 1], padding=(1, 0), dilation=(1, 2), "
                    "groups=2, bias=False)"),
            "Conv2d(4, 6, kernel_size=(3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), "
            "groups=2, bias=False)");
  EXPECT_EQ(printed("Conv2d(2, 3, 3, 1, 1, padding_mode='circular')"),
            "Conv2d(2, 3, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), "
            "padding_mode=circular)");
  EXPECT_EQ(printed("Conv2d(2, 3, 3, padding=\"same\")"),
            "Conv2d(2, 3, kernel_size=(3, 3), stride=(1, 1), padding=same)");
  EXPECT_EQ(printed("Conv1d(16, 32, 3, 1, 1)"),
            "Conv1d(16, 32, kernel_size=(3,), stride=(1,), padding=(1,))");
  EXPECT_EQ(printed("Conv1d(16, 32, (3,))"), "Conv1d(16, 32, kernel_size=(3,), stride=(1,))");
  EXPECT_EQ(printed("BatchNorm2d(6)"),
            "BatchNorm2d(6, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)");
  ir::Node node = layer("Conv2d(1, 6, 5)");
  node.precision = {{"data_in_0", numerics::integer(8, 4)}};
  EXPECT_EQ(print_layer(node), "Conv2dInteger(1, 6, kernel_size=(5, 5), stride=(1, 1))");
}

TEST(LayerText, PoolingsPrintAsPyTorch) {
  EXPECT_EQ(printed("MaxPool2d(2)"),
            "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
  EXPECT_EQ(printed("MaxPool2d((3, 2), stride=None, padding=(1, 0), ceil_mode=True)"),
            "MaxPool2d(kernel_size=(3, 2), stride=(3, 2), padding=(1, 0), dilation=1, "
            "ceil_mode=True)");
  EXPECT_EQ(printed("MaxPool1d(3, 2)"),
            "MaxPool1d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=False)");
  EXPECT_EQ(printed("AvgPool2d(2)"), "AvgPool2d(kernel_size=2, stride=2, padding=0)");
  EXPECT_EQ(printed("AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False)"),
            "AvgPool2d(kernel_size=3, stride=2, padding=1)");
  EXPECT_EQ(printed("AvgPool1d(2)"), "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))");
  EXPECT_EQ(printed("AdaptiveAvgPool1d(1)"), "AdaptiveAvgPool1d(output_size=1)");
  EXPECT_EQ(printed("AdaptiveAvgPool2d((None, 7))"), "AdaptiveAvgPool2d(output_size=(None, 7))");
}

TEST(LayerText, EveryPrintedLayerParsesBack) {
  Random random(7);
  for (const Op* op : ops()) {
    if (op->layer.empty()) continue;
    for (int round = 0; round < 50; ++round) {
      ir::Dict given;
      for (const Attribute& attribute : op->attributes) {
        const Field& field = attribute.field;
        if (field.standard && random.up_to(1) == 0) continue;
        ir::Value value = static_cast<std::int64_t>(random.up_to(1));
        if (field.low && *field.low >= 1) value = static_cast<std::int64_t>(1 + random.up_to(1000));
        if (field.type == FieldType::Bool) value = random.up_to(1) == 1;
        if (field.type == FieldType::Real) value = random.unit();
        if (attribute.print == Attribute::Print::Never) continue;  // PyTorch's text leaves it out
        if (!field.choices.empty() && random.up_to(1) == 1) {
          value = field.choices[random.up_to(static_cast<std::uint32_t>(field.choices.size() - 1))];
        } else if (field.type == FieldType::Text) {
          continue;
        } else if (field.type == FieldType::List && random.up_to(1) == 1) {
          value = ir::Tuple{std::vector<ir::Value>(field.rank, value)};
        }
        given.emplace_back(std::string(attribute.name()), value);
      }
      ir::Node node{.name = "n",
                    .kind = ir::NodeKind::CallModule,
                    .op = std::string(op->name),
                    .target = "n",
                    .attributes = complete_attributes(*op, given)};
      const std::string text = print_layer(node);
      const LayerText back = parse_layer(text);
      EXPECT_EQ(back.op, op) << text;
      EXPECT_EQ(back.attributes, node.attributes) << text;
    }
  }
}

TEST(LayerText, QuantisedLayersShowTheirFormat) {
  ir::Node node = layer("Linear(16, 5)");
  node.precision = {{"data_in_0", numerics::integer(8, 4)}};
  EXPECT_EQ(print_layer(node), "LinearInteger(in_features=16, out_features=5, bias=True)");
  EXPECT_EQ(type_text(node), "LinearInteger");
  EXPECT_EQ(type_text(layer("ReLU(8)")), "ReLU");

  ir::Node add{
      .name = "add_1", .kind = ir::NodeKind::CallFunction, .op = "add", .target = "operator.add"};
  EXPECT_EQ(type_text(add), "add");
  add.precision = {{"data_in_0", numerics::integer(8, 4)}};
  EXPECT_EQ(type_text(add), "add_integer");
  const ir::Node x{
      .name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"};
  EXPECT_EQ(type_text(x), "x");
}

TEST(LayerText, MistakesPointAtTheirColumn) {
  const Location place{.file = "net.toml", .line = 4, .column = 6};
  EXPECT_EQ(message("Linaer(16, 5)", place),
            "net.toml:4:6: there is no layer 'Linaer' (did you mean 'Linear'?)");
  EXPECT_EQ(message("Linear(16, out_feature=5)", place),
            "net.toml:4:17: Linear has no argument 'out_feature' (did you mean 'out_features'?)");
  EXPECT_EQ(message("Linear(16, 5, True, 3)", place),
            "net.toml:4:26: Linear takes at most 3 arguments");
  EXPECT_EQ(message("BatchNorm1d(16, 0.1, 0.1, True, True, True)", place),
            "net.toml:4:44: BatchNorm1d takes at most 5 arguments");
  EXPECT_EQ(message("Linear(16, in_features=5)", place),
            "net.toml:4:17: in_features is given twice");
  EXPECT_EQ(message("Linear(16)", place), "net.toml:4:6: Linear needs out_features");
  EXPECT_EQ(message("Linear(16, x)", place),
            "net.toml:4:17: 'x' is neither a number nor True, False or None");
  EXPECT_EQ(message("Linear(16, 1.5)", place),
            "net.toml:4:17: out_features must be a whole number from 1 to 16777216, not 1.5");
  EXPECT_EQ(message("Linear(0, 5)", place),
            "net.toml:4:13: in_features must be a whole number from 1 to 16777216, not 0");
  EXPECT_EQ(message("Dropout(1.5)", place),
            "net.toml:4:14: p must be a number from 0 to 1, not 1.5");
  EXPECT_EQ(message("Conv2d(1, 6, (3, 3, 3))", place),
            "net.toml:4:19: kernel_size must be a whole number from 1 to 1024, or a list of "
            "2, not (3, 3, 3)");
  EXPECT_EQ(message("Conv2d(1, 6, (3, 0))", place),
            "net.toml:4:19: kernel_size must be a whole number from 1 to 1024, or a list of 2, not "
            "(3, 0)");
  EXPECT_EQ(message("Conv2d(1, 6, 3, padding=some)", place),
            "net.toml:4:30: 'some' is neither a number nor True, False or None");
  EXPECT_EQ(message("Conv2d(1, 6, 3, padding='some')", place),
            "net.toml:4:30: padding must be a whole number from 0 to 1024, or a list of 2, or "
            "one of valid, same, not 'some'; did you mean 'same'?");
  EXPECT_EQ(message("Conv2d(1, 6, 3, padding='same)", place),
            "net.toml:4:30: the text has no closing quote");
  EXPECT_EQ(message("Conv2d(1, 6, (3, 3", place), "net.toml:4:24: ',' or ')' is expected here");
  EXPECT_EQ(message("Linear((1, 2), 6)", place),
            "net.toml:4:13: in_features must be a whole number from 1 to 16777216, not (1, 2)");
  EXPECT_EQ(message("ReLU() x", place), "net.toml:4:13: nothing may follow the layer");
  EXPECT_EQ(message("ReLU[]", place), "net.toml:4:10: '(' is expected here");
  EXPECT_EQ(message("Linear(16 5)", place), "net.toml:4:16: ',' or ')' is expected here");
  EXPECT_EQ(message("Linear(16,", place), "net.toml:4:16: a value is missing");
  EXPECT_EQ(message("", place), "net.toml:4:6: a layer is expected here, such as Linear(16, 5)");
  EXPECT_EQ(message("Linear(16, )"), "Linear needs out_features");
  EXPECT_EQ(message("Tanh(1)"), "Tanh takes at most 0 arguments (character 6 of 'Tanh(1)')");
}

}  // namespace
}  // namespace mase::ops
