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
    uint32_t lanes;  // that take a row together, a power of two; only where a warp takes several
};

// Which kernel takes rows like these, and its grid. Host code.
struct NormGeometry {
    int kernel;  // 0: `lanes` lanes of a warp to a row, 1: a warp, 2: a block, 3: a block, any alignment
    int64_t blocks, threads;
    uint32_t lanes;
};
inline NormGeometry norm_geometry(int64_t rows, int64_t columns, int64_t vector, bool vectors, bool share_warps) {
    int64_t accesses = vectors ? columns / vector : columns, rows_per_block = kNormThreads / 32;
    // A row that fits the registers of one warp or less needs no barrier, and several share a block.
    if (vectors && accesses <= 32 * kNormItems) {
        uint32_t lanes = 32;
        while (share_warps && lanes > 1 && accesses <= lanes / 2 * kNormItems) lanes /= 2;
        rows_per_block *= 32 / lanes;
        return {lanes < 32 ? 0 : 1, (rows + rows_per_block - 1) / rows_per_block, kNormThreads, lanes};
    }
    // Longer rows get as many threads as keep them in registers.
    int64_t warps = (accesses + 32 * kNormItems - 1) / (32 * kNormItems);
    return {vectors ? 2 : 3, rows, warps * 32 < kNormMaxThreads ? warps * 32 : kNormMaxThreads, 32};
}

}  // namespace tenon::cuda
