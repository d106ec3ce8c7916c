#include "norm/norm.cuh"

using namespace tenon::cuda;

// warp: a row to a warp, 16-byte accesses. block: a row to a block. any: any alignment.
#define TENON_NORM(name, T)                                                     \
    TENON_KERNEL(tenon_norm_warp_##name, NormParams, kNormThreads, 2) {         \
        int64_t row = int64_t{blockIdx.x} * (kNormThreads / kWarp) + warp_id(); \
        if (row < p.rows) norm_row<T, kVector<T>, kWarp>(p, row, nullptr);      \
    }                                                                           \
    TENON_KERNEL(tenon_norm_block_##name, NormParams, kNormThreads, 2) {        \
        TENON_SHARED(float, shared, [kNormThreads / kWarp]);                    \
        norm_row<T, kVector<T>, kNormThreads>(p, blockIdx.x, shared);           \
    }                                                                           \
    TENON_KERNEL(tenon_norm_any_##name, NormParams, kNormThreads, 2) {          \
        TENON_SHARED(float, shared, [kNormThreads / kWarp]);                    \
        norm_row<T, 1, kNormThreads>(p, blockIdx.x, shared);                    \
    }

TENON_NORM(f32, float)
TENON_NORM(f16, f16)
TENON_NORM(bf16, bf16)
