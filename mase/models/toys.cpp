// Small networks on flattened images.
#include <fmt/format.h>

#include "mase/models/builder.h"
#include "mase/models/rows.h"

namespace mase::models {
namespace {

ir::Graph toy(const data::Info& info, std::uint64_t seed) {
  return Builder(kToy.name, kToy.class_name, seed)
      .flatten()
      .layers("seq_blocks",
              {fmt::format("Linear({}, 8)", info.num_features), "ReLU()", "Linear(8, 8)", "ReLU()",
               fmt::format("Linear(8, {})", info.num_classes)})
      .finish();
}

// The second layer is a member that the forward pass leaves out, as in the original.
ir::Graph toy_tiny(const data::Info& info, std::uint64_t seed) {
  return Builder(kToyTiny.name, kToyTiny.class_name, seed)
      .flatten()
      .layer("l1", fmt::format("Linear({}, 2)", info.num_features))
      .layer("relu_1", "ReLU()")
      .unused("l2", fmt::format("Linear(2, {})", info.num_classes))
      .finish();
}

}  // namespace

const ModelRow kToy{.name = "toy",
                    .class_name = "ToyNet",
                    .summary = "three linear layers on a flattened image",
                    .shown_with = "toy_tiny",
                    .build = toy};

const ModelRow kToyTiny{.name = "toy_tiny",
                        .class_name = "ToyTiny",
                        .summary = "one linear layer on a flattened image; a second one is unused",
                        .shown_with = "toy_tiny",
                        .build = toy_tiny};

}  // namespace mase::models
