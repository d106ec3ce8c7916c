// What the launcher hands to the kernels.
#pragma once
#include <stdint.h>

namespace tenon::cuda {

// Threads of a block whose warps take a row each, the most of a block that takes one row together, and the accesses of
// a row that one thread keeps in registers.
constexpr int kNormThreads = 256;
constexpr int kNormMaxThreads = 768;
constexpr int kNormItems = 4;

struct NormParams {
    const void* x;
    const void* residual;
    const void* scale;
    const void* bias;
    void* y;
    void* sum;
    float* row_scale;
    int64_t rows, columns;
    int64_t x_stride, residual_stride, y_stride, sum_stride;
    float epsilon;
    float inverse_y_scale;
    int32_t rms;     // else layer
    int32_t y_type;  // TENON_CUDA_*
};

}  // namespace tenon::cuda
