#include "attention/attention_mma.cuh"

using namespace tenon::cuda;

// Head sizes between these are computed as the next one, with zeros.
#define TENON_ATTENTION(name, T, head, small)                                                         \
    TENON_KERNEL(tenon_attention_##name, AttentionParams, (kAttentionTile<head, small>.threads), 2) { \
        TENON_DYNAMIC_SHARED(shared);                                                                 \
        attention_mma<T, head, small>(p, shared);                                                     \
    }

TENON_ATTENTION(mma64_f16, f16, 64, false)
TENON_ATTENTION(mma96_f16, f16, 96, false)
TENON_ATTENTION(mma128_f16, f16, 128, false)
TENON_ATTENTION(mma192_f16, f16, 192, false)
TENON_ATTENTION(mma256_f16, f16, 256, false)
TENON_ATTENTION(mma64_small_f16, f16, 64, true)
TENON_ATTENTION(mma128_small_f16, f16, 128, true)
TENON_ATTENTION(mma64_bf16, bf16, 64, false)
TENON_ATTENTION(mma96_bf16, bf16, 96, false)
TENON_ATTENTION(mma128_bf16, bf16, 128, false)
TENON_ATTENTION(mma192_bf16, bf16, 192, false)
TENON_ATTENTION(mma256_bf16, bf16, 256, false)
TENON_ATTENTION(mma64_small_bf16, bf16, 64, true)
TENON_ATTENTION(mma128_small_bf16, bf16, 128, true)
