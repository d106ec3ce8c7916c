#include "weight_only_gemm/weight_only_gemm.cuh"

using namespace tenon::cuda;

#define TENON_WEIGHT_ONLY(name, T, bits, tile)                                                                         \
    TENON_KERNEL(tenon_weight_only_gemm_##name, WeightOnlyParams, kWeightOnlyThreads, kWeightOnlyTiles[tile].blocks) { \
        TENON_DYNAMIC_SHARED(shared);                                                                                  \
        weight_only_product<T, bits, tile>(p, shared);                                                                 \
    }
#define TENON_WEIGHT_ONLY_ANY(name, T, bits)                                                   \
    TENON_KERNEL(tenon_weight_only_gemm_any_##name, WeightOnlyParams, kWeightOnlyThreads, 2) { \
        weight_only_any<T, bits>(p);                                                           \
    }
#define TENON_WEIGHT_ONLY_TILES(name, T, bits) \
    TENON_WEIGHT_ONLY(8_##name, T, bits, 0)    \
    TENON_WEIGHT_ONLY(16_##name, T, bits, 1)   \
    TENON_WEIGHT_ONLY(32_##name, T, bits, 2)   \
    TENON_WEIGHT_ONLY(64_##name, T, bits, 3)   \
    TENON_WEIGHT_ONLY_ANY(name, T, bits)

TENON_WEIGHT_ONLY_TILES(f16_int4, f16, 4)
TENON_WEIGHT_ONLY_TILES(f16_int8, f16, 8)
TENON_WEIGHT_ONLY_TILES(bf16_int4, bf16, 4)
TENON_WEIGHT_ONLY_TILES(bf16_int8, bf16, 8)
TENON_WEIGHT_ONLY_ANY(f32_int4, float, 4)
TENON_WEIGHT_ONLY_ANY(f32_int8, float, 8)
TENON_KERNEL(tenon_weight_only_gemm_fp32_int4, WeightOnlyParams, kWeightOnlyThreads, 2) {
    weight_only_fp32<4>(p);
}
TENON_KERNEL(tenon_weight_only_gemm_fp32_int8, WeightOnlyParams, kWeightOnlyThreads, 2) {
    weight_only_fp32<8>(p);
}
