// One row of kernels, for the instruction set this file is compiled for.
#include "mase/engine/native/isa_kernels.h"

#define MASE_TEXT_OF(x) #x
#define MASE_TEXT(x) MASE_TEXT_OF(x)

namespace mase::engine::native::MASE_ISA {

extern const Kernels kTable;
const Kernels kTable{
    .name = MASE_TEXT(MASE_ISA),
    .gather = gather,
    .linear = linear,
    .linear_input_gradient = linear_input_gradient,
    .linear_weight_gradient = linear_weight_gradient,
    .moments = moments,
    .pointwise = pointwise,
    .quantise = quantise,
    .pointwise_gradient = pointwise_gradient,
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
