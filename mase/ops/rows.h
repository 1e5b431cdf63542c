#pragma once

#include "mase/ops/op.h"

// The rows, one per op, in the files named after their families; table.cpp lists them.
namespace mase::ops {

extern const Op kAdaptiveAvgPool1d;  // pool.cpp
extern const Op kAdaptiveAvgPool2d;  // pool.cpp
extern const Op kAdd;                // arithmetic.cpp
extern const Op kAvgPool1d;          // pool.cpp
extern const Op kAvgPool2d;          // pool.cpp
extern const Op kBatchNorm1d;        // batch_norm.cpp
extern const Op kBatchNorm2d;        // batch_norm.cpp
extern const Op kBmm;                // matmul.cpp
extern const Op kConv1d;             // conv.cpp
extern const Op kConv2d;             // conv.cpp
extern const Op kDropout;            // dropout.cpp
extern const Op kFlatten;            // reshape.cpp
extern const Op kHardtanh;           // activation.cpp
extern const Op kIdentity;           // dropout.cpp
extern const Op kLinear;             // linear.cpp
extern const Op kMatmul;             // matmul.cpp
extern const Op kMaxPool1d;          // pool.cpp
extern const Op kMaxPool2d;          // pool.cpp
extern const Op kMul;                // arithmetic.cpp
extern const Op kRelu;               // activation.cpp
extern const Op kRelu6;              // activation.cpp
extern const Op kReshape;            // reshape.cpp
extern const Op kSigmoid;            // activation.cpp
extern const Op kSize;               // reshape.cpp
extern const Op kSoftmax;            // softmax.cpp
extern const Op kSub;                // arithmetic.cpp
extern const Op kTanh;               // activation.cpp
extern const Op kView;               // reshape.cpp

}  // namespace mase::ops
