// Element-wise activations: relu, relu6, hardtanh, sigmoid, tanh. Each counts one operation per
// element.
#include "mase/ops/rows.h"
#include "mase/ops/rules.h"

namespace mase::ops {
namespace {

const Attribute kInplace{.field = {.name = "inplace", .type = FieldType::Bool, .standard = false},
                         .print = Attribute::Print::WhenChanged};

}  // namespace

const Op kRelu{
    .name = "relu",
    .layer = "ReLU",
    .functions = {"torch.nn.functional.relu", "torch.relu"},
    .arguments = {{.name = "data_in_0"}},
    .attributes = {kInplace},
    .quantisable = {"data_in_0"},
    .unsigned_input = true,
    .infer = like_input,
    .cost = per_element_cost,
    .summary = "max(x, 0)",
};

const Op kRelu6{
    .name = "relu6",
    .layer = "ReLU6",
    .functions = {"torch.nn.functional.relu6"},
    .arguments = {{.name = "data_in_0"}},
    .attributes = {kInplace},
    .infer = like_input,
    .cost = per_element_cost,
    .summary = "min(max(x, 0), 6)",
};

const Op kHardtanh{
    .name = "hardtanh",
    .layer = "Hardtanh",
    .functions = {"torch.nn.functional.hardtanh"},
    .arguments = {{.name = "data_in_0"}},
    .attributes = {{.field = {.name = "min_val", .type = FieldType::Real, .standard = -1.0}},
                   {.field = {.name = "max_val", .type = FieldType::Real, .standard = 1.0}},
                   kInplace},
    .infer = like_input,
    .cost = per_element_cost,
    .summary = "x limited to min_val..max_val",
};

const Op kSigmoid{
    .name = "sigmoid",
    .layer = "Sigmoid",
    .functions = {"torch.sigmoid", "torch.nn.functional.sigmoid"},
    .arguments = {{.name = "data_in_0"}},
    .infer = like_input,
    .cost = per_element_cost,
    .summary = "1 / (1 + exp(-x))",
};

const Op kTanh{
    .name = "tanh",
    .layer = "Tanh",
    .functions = {"torch.tanh", "torch.nn.functional.tanh"},
    .arguments = {{.name = "data_in_0"}},
    .infer = like_input,
    .cost = per_element_cost,
    .summary = "hyperbolic tangent",
};

}  // namespace mase::ops
