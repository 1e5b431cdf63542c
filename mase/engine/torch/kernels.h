#pragma once

#include "mase/engine/torch/plan.h"

// The builders of kernels_table.cpp's rows: each turns a node into what a step calls.
namespace mase::engine::torch_engine {

// kernels_arithmetic.cpp
Kernel build_add(Site& site);
Kernel build_bmm(Site& site);
Kernel build_matmul(Site& site);
Kernel build_mul(Site& site);
Kernel build_sub(Site& site);

// kernels_activation.cpp
Kernel build_hardtanh(Site& site);
Kernel build_relu(Site& site);
Kernel build_relu6(Site& site);
Kernel build_sigmoid(Site& site);
Kernel build_softmax(Site& site);
Kernel build_tanh(Site& site);

// kernels_layers.cpp
Kernel build_batch_norm(Site& site);
Kernel build_dropout(Site& site);
Kernel build_identity(Site& site);
Kernel build_linear(Site& site);

// kernels_conv.cpp
Kernel build_adaptive_avg_pool1d(Site& site);
Kernel build_adaptive_avg_pool2d(Site& site);
Kernel build_avg_pool1d(Site& site);
Kernel build_avg_pool2d(Site& site);
Kernel build_conv1d(Site& site);
Kernel build_conv2d(Site& site);
Kernel build_max_pool1d(Site& site);
Kernel build_max_pool2d(Site& site);

// kernels_shape.cpp
Kernel build_flatten(Site& site);
Kernel build_reshape(Site& site);
Kernel build_size(Site& site);
Kernel build_view(Site& site);

}  // namespace mase::engine::torch_engine
