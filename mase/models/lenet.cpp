// LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998) as it is commonly built today: no padding, ReLU
// and max pooling in place of the sigmoids and trained averages of the paper.
#include <fmt/format.h>

#include "mase/models/builder.h"
#include "mase/models/rows.h"

namespace mase::models {
namespace {

constexpr std::int64_t kLeastSide = 16;  // leaves one pixel after both poolings

// Of a side of the image: a window of 5, then halves, twice.
std::int64_t side_behind_features(std::int64_t side) {
  return ((side - 4) / 2 - 4) / 2;
}

ir::Graph lenet5(const data::Info& info, std::uint64_t seed) {
  const ir::Shape& image = info.sample_shape;
  if (image.size() != 3 || image[1] < kLeastSide || image[2] < kLeastSide) {
    usage_error(
        fmt::format("lenet5 reads images [channels, height, width] of at least {0} x {0} "
                    "pixels, but samples of '{1}' are {2}",
                    kLeastSide, info.name, ir::text(image)));
  }
  const std::int64_t features =
      16 * side_behind_features(image[1]) * side_behind_features(image[2]);
  return Builder(kLenet5.name, kLenet5.class_name, seed)
      .layers("feature_layers", {fmt::format("Conv2d({}, 6, 5)", image[0]), "ReLU()",
                                 "MaxPool2d(2)", "Conv2d(6, 16, 5)", "ReLU()", "MaxPool2d(2)"})
      .flatten()
      .layers("classifier", {fmt::format("Linear({}, 120)", features), "ReLU()", "Linear(120, 84)",
                             "ReLU()", fmt::format("Linear(84, {})", info.num_classes)})
      .finish();
}

}  // namespace

const ModelRow kLenet5{.name = "lenet5",
                       .class_name = "LeNet5",
                       .summary = "two convolutions with max pooling, three linear layers",
                       .shown_with = "mnist",
                       .build = lenet5};

}  // namespace mase::models
