#include "attention/attention_sm90.cuh"

using namespace tenon::cuda;

// wgmma is the business of sm_90a alone: for others the kernel exists, and nothing plans it.
#if defined(TENON_ON_GPU) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define TENON_ATTENTION_SM90(name, T, head)                                                          \
    TENON_KERNEL(tenon_attention_##name, AttentionSm90Params, kAttentionSm90Tile<head>.threads, 1) { \
        __trap();                                                                                    \
    }
#else
#define TENON_ATTENTION_SM90(name, T, head)                                                          \
    TENON_KERNEL(tenon_attention_##name, AttentionSm90Params, kAttentionSm90Tile<head>.threads, 1) { \
        TENON_DYNAMIC_SHARED(shared);                                                                \
        AttentionSm90<T, head>(p, shared).run();                                                     \
    }
#endif

TENON_ATTENTION_SM90(sm90_64_f16, f16, 64)
TENON_ATTENTION_SM90(sm90_128_f16, f16, 128)
TENON_ATTENTION_SM90(sm90_256_f16, f16, 256)
TENON_ATTENTION_SM90(sm90_64_bf16, bf16, 64)
TENON_ATTENTION_SM90(sm90_128_bf16, bf16, 128)
TENON_ATTENTION_SM90(sm90_256_bf16, bf16, 256)
