#pragma once

#include "mase/models/model_file.h"

namespace mase::fuzz {

// A small network for targets that need one.
inline const ir::Graph& network() {
  static const ir::Graph graph = models::build(
      models::parse_model_file("layers = [\"Linear(2, 3)\", \"BatchNorm1d(3)\", \"ReLU()\"]\n",
                               "network.toml"),
      {.num_classes = 3, .num_features = 2, .sample_shape = {2}}, 1);
  return graph;
}

}  // namespace mase::fuzz
