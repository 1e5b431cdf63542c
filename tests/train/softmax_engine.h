#pragma once

#include <memory>

#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/ir/graph.h"

// A second engine, small enough to be read whole: softmax regression. The trainer's tests run on it
// in microseconds and in every build, and it shows that the trainer knows no engine in particular.
namespace mase::train::testing {

const engine::Engine& softmax_engine();

// x -> linear -> output, with a buffer that counts training batches.
ir::Graph softmax_graph(std::int64_t features, std::int64_t classes);

// Rows that a linear rule decides, with some noise; the same for the same arguments.
data::DataSet blobs(std::int64_t rows, std::int64_t features = 4, std::int64_t classes = 3);

}  // namespace mase::train::testing
