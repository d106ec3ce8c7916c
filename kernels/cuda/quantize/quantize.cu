#include "quantize/quantize.cuh"

using namespace tenon::cuda;

// vector: eight elements to a thread at a time. any: any alignment and any groups. rows_*: as in norm.
#define TENON_QUANTIZE(name, T)                                                               \
    TENON_KERNEL(tenon_quantize_vector_##name, QuantizeParams, kQuantizeThreads, 4) {         \
        quantize_vectors<T>(p);                                                               \
    }                                                                                         \
    TENON_KERNEL(tenon_quantize_any_##name, QuantizeParams, kQuantizeThreads, 4) {            \
        quantize_any<T>(p);                                                                   \
    }                                                                                         \
    TENON_KERNEL(tenon_dequantize_vector_##name, QuantizeParams, kQuantizeThreads, 4) {       \
        dequantize_vectors<T>(p);                                                             \
    }                                                                                         \
    TENON_KERNEL(tenon_dequantize_any_##name, QuantizeParams, kQuantizeThreads, 4) {          \
        dequantize_any<T>(p);                                                                 \
    }                                                                                         \
    TENON_KERNEL(tenon_quantize_rows_warp_##name, QuantizeRowsParams, kQuantizeThreads, 3) {  \
        int64_t row = int64_t{blockIdx.x} * (kQuantizeThreads / kWarp) + warp_id();           \
        if (row < p.rows) quantize_row<T, kVector<T>, true>(p, row, nullptr);                 \
    }                                                                                         \
    TENON_KERNEL(tenon_quantize_rows_block_##name, QuantizeRowsParams, kQuantizeThreads, 3) { \
        TENON_SHARED(float, shared, [kQuantizeThreads / kWarp]);                              \
        quantize_row<T, kVector<T>, false>(p, blockIdx.x, shared);                            \
    }                                                                                         \
    TENON_KERNEL(tenon_quantize_rows_any_##name, QuantizeRowsParams, kQuantizeThreads, 3) {   \
        TENON_SHARED(float, shared, [kQuantizeThreads / kWarp]);                              \
        quantize_row<T, 1, false>(p, blockIdx.x, shared);                                     \
    }                                                                                         \
    TENON_KERNEL(tenon_quantize_range_##name, RangeParams, kQuantizeThreads, 4) {             \
        TENON_SHARED(float, shared, [kQuantizeThreads / kWarp]);                              \
        find_range<T>(p, shared);                                                             \
    }

TENON_QUANTIZE(f32, float)
TENON_QUANTIZE(f16, f16)
TENON_QUANTIZE(bf16, bf16)
TENON_KERNEL(tenon_quantize_range_finish, RangeParams, kQuantizeThreads, 1) {
    TENON_SHARED(float, shared, [kQuantizeThreads / kWarp]);
    finish_range(p, shared);
}
