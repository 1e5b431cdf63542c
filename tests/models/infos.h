#pragma once

#include "mase/data/dataset.h"

// What the networks are built for.
inline mase::data::Info jsc_info() {
  return {.name = "jsc", .num_classes = 5, .num_features = 16, .sample_shape = {16}};
}

inline mase::data::Info image_info(std::string name, const mase::ir::Shape& shape,
                                   std::int64_t classes) {
  return {.name = std::move(name),
          .task = mase::data::Task::ImageClassification,
          .num_classes = classes,
          .num_features = mase::ir::element_count(shape),
          .sample_shape = shape};
}

inline mase::data::Info toy_tiny_info() {
  return image_info("toy_tiny", {1, 2, 2}, 2);
}
inline mase::data::Info mnist_info() {
  return image_info("mnist", {1, 28, 28}, 10);
}
inline mase::data::Info cifar10_info() {
  return image_info("cifar10", {3, 32, 32}, 10);
}
