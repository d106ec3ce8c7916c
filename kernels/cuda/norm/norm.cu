#include "norm/norm.cuh"

using namespace tenon::cuda;

// lanes: some lanes of a warp to a row, warp: a warp, block: a block, all with 16-byte accesses. any: a block to a row
// of any alignment.
#define TENON_NORM(name, T)                                                 \
    TENON_KERNEL(tenon_norm_lanes_##name, NormParams, kNormThreads, 3) {    \
        norm<T, kVector<T>, Row::lanes>(p, nullptr);                        \
    }                                                                       \
    TENON_KERNEL(tenon_norm_warp_##name, NormParams, kNormThreads, 3) {     \
        norm<T, kVector<T>, Row::warp>(p, nullptr);                         \
    }                                                                       \
    TENON_KERNEL(tenon_norm_block_##name, NormParams, kNormMaxThreads, 1) { \
        TENON_SHARED(float, shared, [kNormMaxThreads / kWarp]);             \
        norm<T, kVector<T>, Row::block>(p, shared);                         \
    }                                                                       \
    TENON_KERNEL(tenon_norm_any_##name, NormParams, kNormMaxThreads, 1) {   \
        TENON_SHARED(float, shared, [kNormMaxThreads / kWarp]);             \
        norm<T, 1, Row::block>(p, shared);                                  \
    }

TENON_NORM(f32, float)
TENON_NORM(f16, f16)
TENON_NORM(bf16, bf16)
