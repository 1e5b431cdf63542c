#pragma once

// The kernels of one instruction set. MASE_ISA names it (CMakeLists.txt), so that every set has
// its own namespace; isa_table.cpp collects them into a Kernels row.

#include "mase/engine/native/kernels.h"
#include "mase/engine/native/simd.h"

namespace mase::engine::native::MASE_ISA {

void gather(const float* table, const std::uint32_t* rows, int n, int features, float* x,
            int stride);
bool consecutive(const std::uint32_t* rows, std::int64_t n);
void linear(const float* w, const float* b, const float* x, float* y, int inputs, int outputs,
            int n, int stride);
void linear_input_gradient(const float* w, const float* dy, float* dx, int inputs, int outputs,
                           int n, int stride, bool accumulate);
void linear_weight_gradient(const float* dy, const float* x, float* dw, float* db, int inputs,
                            int outputs, int n, int stride);
void linear_weight_gradient_narrow(const float* dy, const float* x, float* dw, float* db,
                                   int inputs, int outputs, int n, int stride, float* scratch);
void convolve(const Windows& windows, const float* w, std::ptrdiff_t row, const float* b,
              const float* x, float* y, int results, int area, int n, int stride, bool accumulate);
void convolve_weight_gradient(const Windows& windows, const float* d, const float* x, float* sums,
                              std::ptrdiff_t row, float* db, int results, int area, int n,
                              int stride);
void add_lanes(float* lanes, float* out, std::int64_t count);
void max_pool(const Windows& windows, const float* x, float* y, int n, int stride);
void max_pool_gradient(const Windows& windows, const float* x, const float* y, const float* d,
                       float* dx, int n, int stride, bool once);
void average_pool(const Windows& windows, const float* x, float* y, int n, int stride);
void average_pool_gradient(const Windows& windows, const float* d, float* dx, int n, int stride,
                           bool once);
void channel_moments(const float* x, int channels, int area, int n, int stride, float* mean,
                     float* m2);
void moments(const float* x, int features, int n, int stride, float* mean, float* m2);
void pointwise(const Pointwise& p, const float* x, float* y, int features, int n, int stride);
void quantise(const Grid& grid, const float* x, float* y, std::int64_t count);
void pointwise_gradient(const Pointwise& p, const float* x, float* d, int features, int n,
                        int stride, const float* mean, float* s1, float* s2);
void fold_moments(const NormFold& fold);
void fold_gradient(const NormGradientFold& fold);
void normalise_gradient(const float* a, const float* b, const float* c, const float* d,
                        const float* x, float* dx, int features, int n, int stride,
                        bool accumulate);
void cross_entropy(const float* z, const std::uint8_t* labels, int classes, int n, int stride,
                   float scale, float* dz, double* loss, std::int64_t* correct, ReadAhead& ahead);
void binary(char op, const float* a, const float* b, float* y, int features, int n, int stride);
void affine(float factor, float offset, const float* x, float* y, int features, int n, int stride);
void scale_add(float k, const float* x, float* y, int features, int n, int stride, bool accumulate);
void multiply_add(const float* a, const float* b, float* y, int features, int n, int stride,
                  bool accumulate);
void softmax(const float* x, float* y, int features, int n, int stride);
void softmax_gradient(const float* y, const float* dy, float* dx, int features, int n, int stride,
                      bool accumulate);
void adam(const AdamStep& step, float* parameter, float* gradient, float* m, float* v,
          std::int64_t count);
void sgd(const SgdStep& step, float* parameter, float* gradient, float* momentum,
         std::int64_t count);

}  // namespace mase::engine::native::MASE_ISA
