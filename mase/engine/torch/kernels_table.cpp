// The ops that this engine runs.
#include <array>

#include "mase/engine/torch/kernels.h"

namespace mase::engine::torch_engine {
namespace {

// Sorted by name; a test holds that.
constexpr std::array kKernels = {
    KernelRow{"adaptive_avg_pool1d", build_adaptive_avg_pool1d},
    KernelRow{"adaptive_avg_pool2d", build_adaptive_avg_pool2d},
    KernelRow{"add", build_add},
    KernelRow{"avg_pool1d", build_avg_pool1d},
    KernelRow{"avg_pool2d", build_avg_pool2d},
    KernelRow{"batch_norm1d", build_batch_norm},
    KernelRow{"batch_norm2d", build_batch_norm},
    KernelRow{"bmm", build_bmm},
    KernelRow{"conv1d", build_conv1d},
    KernelRow{"conv2d", build_conv2d},
    KernelRow{"dropout", build_dropout},
    KernelRow{"flatten", build_flatten},
    KernelRow{"hardtanh", build_hardtanh},
    KernelRow{"identity", build_identity},
    KernelRow{"linear", build_linear},
    KernelRow{"matmul", build_matmul},
    KernelRow{"max_pool1d", build_max_pool1d},
    KernelRow{"max_pool2d", build_max_pool2d},
    KernelRow{"mul", build_mul},
    KernelRow{"relu", build_relu},
    KernelRow{"relu6", build_relu6},
    KernelRow{"reshape", build_reshape},
    KernelRow{"sigmoid", build_sigmoid},
    KernelRow{"size", build_size},
    KernelRow{"softmax", build_softmax},
    KernelRow{"sub", build_sub},
    KernelRow{"tanh", build_tanh},
    KernelRow{"view", build_view},
};

}  // namespace

std::span<const KernelRow> kernels() {
  return kKernels;
}

}  // namespace mase::engine::torch_engine
