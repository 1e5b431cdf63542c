// Layers that pass their input on: dropout (in training it zeroes each element with probability p
// and scales the others by 1 / (1 - p)) and identity.
#include "mase/ops/rows.h"
#include "mase/ops/rules.h"

namespace mase::ops {

const Op kDropout{
    .name = "dropout",
    .layer = "Dropout",
    .arguments = {{.name = "data_in_0"}},
    .attributes =
        {{.field = {.name = "p", .type = FieldType::Real, .standard = 0.5, .low = 0, .high = 1}},
         {.field = {.name = "inplace", .type = FieldType::Bool, .standard = false}}},
    .infer = like_input,
    .cost = free_cost,
    .summary = "zeroes elements at random in training, otherwise passes them on",
};

const Op kIdentity{
    .name = "identity",
    .layer = "Identity",
    .arguments = {{.name = "data_in_0"}},
    .infer = [](const Site& site) -> ValueType { return site.data(); },
    .cost = free_cost,
    .summary = "passes its input on",
};

}  // namespace mase::ops
