// One row of kernels, for the instruction set this file is compiled for.
#include "mase/engine/native/isa_kernels.h"

#define MASE_TEXT_OF(x) #x
#define MASE_TEXT(x) MASE_TEXT_OF(x)

namespace mase::engine::native::MASE_ISA {

extern const Kernels kTable;
const Kernels kTable{
    .name = MASE_TEXT(MASE_ISA),
    .lanes = kLanes,
    .gather = gather,
    .consecutive = consecutive,
    .linear = linear,
    .linear_input_gradient = linear_input_gradient,
    .linear_weight_gradient = linear_weight_gradient,
    .linear_weight_gradient_narrow = linear_weight_gradient_narrow,
    .convolve = convolve,
    .convolve_weight_gradient = convolve_weight_gradient,
    .add_lanes = add_lanes,
    .max_pool = max_pool,
    .max_pool_gradient = max_pool_gradient,
    .average_pool = average_pool,
    .average_pool_gradient = average_pool_gradient,
    .channel_moments = channel_moments,
    .moments = moments,
    .pointwise = pointwise,
    .quantise = quantise,
    .pointwise_gradient = pointwise_gradient,
    .fold_moments = fold_moments,
    .fold_gradient = fold_gradient,
    .normalise_gradient = normalise_gradient,
    .cross_entropy = cross_entropy,
    .binary = binary,
    .affine = affine,
    .scale_add = scale_add,
    .multiply_add = multiply_add,
    .softmax = softmax,
    .softmax_gradient = softmax_gradient,
    .adam = adam,
    .sgd = sgd,
};

}  // namespace mase::engine::native::MASE_ISA
