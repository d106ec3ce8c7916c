#include "norm/norm.cuh"

using namespace tenon::cuda;

// warp: a row to a warp, 16-byte accesses. block: a row to a block. any: any alignment.
#define TENON_NORM(name, T)                                                 \
    TENON_KERNEL(tenon_norm_warp_##name, NormParams, kNormThreads, 3) {     \
        norm<T, kVector<T>, true>(p, nullptr);                              \
    }                                                                       \
    TENON_KERNEL(tenon_norm_block_##name, NormParams, kNormMaxThreads, 1) { \
        TENON_SHARED(float, shared, [kNormMaxThreads / kWarp]);             \
        norm<T, kVector<T>, false>(p, shared);                              \
    }                                                                       \
    TENON_KERNEL(tenon_norm_any_##name, NormParams, kNormMaxThreads, 1) {   \
        TENON_SHARED(float, shared, [kNormMaxThreads / kWarp]);             \
        norm<T, 1, false>(p, shared);                                       \
    }

TENON_NORM(f32, float)
TENON_NORM(f16, f16)
TENON_NORM(bf16, bf16)
