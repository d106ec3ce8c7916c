// What the launcher hands to the kernels.
#pragma once
#include <stdint.h>

#include "norm/norm.h"

namespace tenon::cuda {

// Threads of a block whose warps take a row each, the most of a block that takes one row together, and the accesses of
// a row that one thread keeps in registers.
constexpr int kNormThreads = 256;
constexpr int kNormMaxThreads = 768;
constexpr int kNormItems = 4;

// y is the sum itself: for other families.
constexpr int kNormNone = 2;

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
    int32_t kind;    // TENON_CUDA_NORM_* or kNormNone
    int32_t y_type;  // TENON_CUDA_*
};

// Which kernel takes rows like these, and its grid. Host code.
struct NormGeometry {
    int kernel;  // 0: a warp to a row, 1: a block to a row, 2: the same for any alignment
    int64_t blocks, threads;
};
inline NormGeometry norm_geometry(int64_t rows, int64_t columns, int64_t vector, bool vectors) {
    // A row that fits the registers of one warp needs no barrier, and eight of them share a block. Longer rows get as
    // many threads as keep them in registers.
    int64_t accesses = vectors ? columns / vector : columns,
            warps = (accesses + 32 * kNormItems - 1) / (32 * kNormItems);
    if (vectors && warps == 1) return {0, (rows + kNormThreads / 32 - 1) / (kNormThreads / 32), kNormThreads};
    return {vectors ? 1 : 2, rows, warps * 32 < kNormMaxThreads ? warps * 32 : kNormMaxThreads};
}

}  // namespace tenon::cuda
