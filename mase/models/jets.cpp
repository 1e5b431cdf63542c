// Networks for jet classification: 16 features in, 5 classes out (Duarte et al. 2018). ReLU(n) is
// an in-place ReLU: the first argument of that layer is a flag, and the original passes the width.
#include <fmt/format.h>

#include "mase/models/builder.h"
#include "mase/models/rows.h"

namespace mase::models {
namespace {

ir::Graph jsc_tiny(const data::Info&, std::uint64_t seed) {
  return Builder(kJscTiny.name, kJscTiny.class_name, seed)
      .layers("seq_blocks", {"BatchNorm1d(16)", "ReLU(16)", "Linear(16, 5)", "ReLU(5)"})
      .finish();
}

ir::Graph jsc_toy(const data::Info&, std::uint64_t seed) {
  return Builder(kJscToy.name, kJscToy.class_name, seed)
      .layers("seq_blocks", {"BatchNorm1d(16)", "ReLU(16)", "Linear(16, 8)", "BatchNorm1d(8)",
                             "ReLU(8)", "Linear(8, 8)", "BatchNorm1d(8)", "ReLU(8)", "Linear(8, 5)",
                             "BatchNorm1d(5)", "ReLU(5)"})
      .finish();
}

ir::Graph jsc_s(const data::Info& info, std::uint64_t seed) {
  const auto in = info.num_features;
  const auto out = info.num_classes;
  return Builder(kJscS.name, kJscS.class_name, seed)
      .layers("module_list",
              {fmt::format("BatchNorm1d({})", in), "ReLU()", fmt::format("Linear({}, 64)", in),
               "BatchNorm1d(64)", "ReLU()", "Linear(64, 32)", "ReLU()", "Linear(32, 32)", "ReLU()",
               "Linear(32, 32)", "ReLU()", fmt::format("Linear(32, {})", out),
               fmt::format("BatchNorm1d({})", out), "ReLU()"})
      .finish();
}

ir::Graph jsc_trt(const data::Info&, std::uint64_t seed) {
  return Builder(kJscTrt.name, kJscTrt.class_name, seed)
      .layers("seq_blocks",
              {"BatchNorm1d(16)", "ReLU(16)", "Linear(16, 32)", "BatchNorm1d(32)", "ReLU(32)",
               "Linear(32, 48)", "BatchNorm1d(48)", "ReLU(48)", "Dropout(0.5)", "Linear(48, 16)",
               "BatchNorm1d(16)", "ReLU(16)", "Linear(16, 5)", "BatchNorm1d(5)", "ReLU(5)"})
      .finish();
}

}  // namespace

const ModelRow kJscTiny{.name = "jsc-tiny",
                        .class_name = "JSC_Tiny",
                        .summary = "one linear layer on normalised features",
                        .shown_with = "jsc",
                        .build = jsc_tiny};

const ModelRow kJscToy{.name = "jsc-toy",
                       .class_name = "JSC_Toy",
                       .summary = "three narrow linear layers, each with batch norm",
                       .shown_with = "jsc",
                       .build = jsc_toy};

const ModelRow kJscS{.name = "jsc-s",
                     .class_name = "JSC_S",
                     .summary = "five linear layers, 64 wide at most",
                     .shown_with = "jsc",
                     .build = jsc_s};

const ModelRow kJscTrt{.name = "jsc-trt",
                       .class_name = "JSC_TRT",
                       .summary = "four linear layers with batch norm and dropout",
                       .shown_with = "jsc",
                       .build = jsc_trt};

}  // namespace mase::models
