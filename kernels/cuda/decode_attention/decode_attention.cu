#include "decode_attention/decode_attention_combine.cuh"
#include "decode_attention/decode_attention_mma.cuh"
#include "decode_attention/decode_attention_plain.cuh"

using namespace tenon::cuda;

// Tensor cores, by the cache's type, for head sizes up to 64, 128 and 256 and up to 8 or 16 query rows of a KV head.
// The minimum of blocks on a multiprocessor, which the launcher counts on, leaves registers for the loads under way.
#define TENON_DECODE_MMA(name, C, D, rows, blocks)                                                                  \
    TENON_KERNEL(tenon_decode_attention_mma_##name##_##D##_##rows, DecodeAttentionParams, kDecodeThreads, blocks) { \
        decode_attention_mma<C, D, rows / 8>(p);                                                                    \
    }
#define TENON_DECODE_MMA_TYPE(name, C)    \
    TENON_DECODE_MMA(name, C, 64, 8, 3)   \
    TENON_DECODE_MMA(name, C, 64, 16, 2)  \
    TENON_DECODE_MMA(name, C, 128, 8, 3)  \
    TENON_DECODE_MMA(name, C, 128, 16, 2) \
    TENON_DECODE_MMA(name, C, 256, 8, 2)
TENON_DECODE_MMA_TYPE(f16, f16)
TENON_DECODE_MMA_TYPE(bf16, bf16)
TENON_DECODE_MMA_TYPE(f8e4m3, f8e4m3)

// fp32 with 16-byte accesses, head sizes up to 128.
TENON_KERNEL(tenon_decode_attention_f32_1, DecodeAttentionParams, kDecodeThreads, 3) {
    decode_attention_plain<float, 4, 8, 16, 1, 2>(p);
}
TENON_KERNEL(tenon_decode_attention_f32_4, DecodeAttentionParams, kDecodeThreads, 2) {
    decode_attention_plain<float, 4, 8, 16, 4, 1>(p);
}

// Any head size up to 256, any alignment.
#define TENON_DECODE_ANY(name, C)                                                               \
    TENON_KERNEL(tenon_decode_attention_any_##name, DecodeAttentionParams, kDecodeThreads, 2) { \
        decode_attention_plain<C, 1, kWarp, 8, 4, 2>(p);                                        \
    }
TENON_DECODE_ANY(f32, float)
TENON_DECODE_ANY(f16, f16)
TENON_DECODE_ANY(bf16, bf16)
TENON_DECODE_ANY(f8e4m3, f8e4m3)

TENON_KERNEL(tenon_decode_attention_combine, DecodeAttentionParams, kCombineWarps* kWarp, 2) {
    decode_attention_combine(p);
}
