/*
 * Scaled dot product attention, forward, for many queries at a time (prefill, encoders). The matrix of scores never
 * exists in memory.
 *
 *   s[b,h,i,j] = softcap(scale * sum_d q[b,h,i,d] * k[b,g,j,d]) + mask[b,h,i,j]    softcap(x) = c * tanh(x / c)
 *   o[b,h,i,e] = sum_j softmax_j(s[b,h,i,j]) * v[b,g,j,e], rounded to `type`       g = h / (heads / kv_heads)
 *   lse[b,h,i] = log(sum_j exp(s[b,h,i,j]))
 *
 * Query i sees key j when all of these hold:
 *   j < length[b]              length[b] = kv_lengths[b] limited to 0 .. keys, or keys without kv_lengths
 *   j <= i + offset            only when causal: offset = causal_offset (CAUSAL_OFFSET; 0 aligns the first query with
 *                              the first key) or length[b] - queries (CAUSAL_END: aligns the last with the last)
 *   j > i + offset - window    only when window > 0, which needs causal: the `window` latest keys
 *   the mask's element is not false (BOOL mask)
 *
 * A row that sees no key, or whose scores are all -infinity, is 0, and its lse is -infinity. A row whose keys the mask
 * all hides with the lowest float weighs them alike (its lse is finite, no more). NaN spreads as in the formula; a
 * hidden key's NaN or infinity in v may spread too (0 * NaN), except that keys and values from length[b] on never
 * matter. Finite scores do not overflow, however large.
 *
 *   Layout    strides for batch, head and row (position), in elements; the last axis is dense. A [B, H, S, D] tensor
 *             has strides {H*S*D, S*D, D}, a [B, S, H, D] one {S*H*D, D, H*D}; packed q, k, v differ in their pointers
 *             only. Fast when pointers and strides are multiples of 16 bytes and both head sizes multiples of 8.
 *   Aliasing  o and lse must not overlap the inputs.
 *   Traffic   q and o once; k and v once for each tile of 64 or 128 queries, mostly from L2; mask once.
 *   FLOPs     2 * batch * heads * queries * keys * (head_size + value_size); about half of it when causal.
 *   Numerics  16-bit types: products on tensor cores, fp32 sums, fp32 softmax, weights rounded to `type` before the
 *             product with v. F32: fp32 throughout (no TF32).
 *   Source    Dao 2023 (FlashAttention-2), algorithm 1; Milakov, Gimelshein 2018 (online softmax), algorithm 3; ONNX
 *             Attention-24.
 */
#ifndef TENON_CUDA_ATTENTION_H
#define TENON_CUDA_ATTENTION_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TENON_CUDA_ATTENTION_CAUSAL_NONE = 0,
    TENON_CUDA_ATTENTION_CAUSAL_OFFSET = 1, /* j <= i + causal_offset */
    TENON_CUDA_ATTENTION_CAUSAL_END = 2     /* j <= i + length[b] - queries */
};

typedef struct tenon_cuda_attention {
    const void* q;             /* [batch, heads, queries, head_size] */
    const void* k;             /* [batch, kv_heads, keys, head_size] */
    const void* v;             /* [batch, kv_heads, keys, value_size] */
    const void* mask;          /* [batch, heads, queries, keys]; may be null; keys are dense */
    const int32_t* kv_lengths; /* [batch]; may be null */
    void* o;                   /* [batch, heads, queries, value_size] */
    float* lse;                /* [batch, heads, queries], dense; may be null */
    int64_t type;              /* of q, k, v, o: F32, F16, BF16 */
    int64_t mask_type;         /* type or F32 (added to the score) or BOOL (0 hides the key); only with mask */
    int64_t batch;             /* >= 0 */
    int64_t heads;             /* >= 1; a multiple of kv_heads */
    int64_t kv_heads;          /* >= 1 */
    int64_t queries;           /* 0 to 2^29 */
    int64_t keys;              /* 0 to 2^29 */
    int64_t head_size;         /* 1 to 256 */
    int64_t value_size;        /* 1 to 256; as fast as head_size when not greater */
    int64_t q_batch_stride;    /* strides of q, k, v: any sign, 0 repeats */
    int64_t q_head_stride;
    int64_t q_row_stride;
    int64_t k_batch_stride;
    int64_t k_head_stride;
    int64_t k_row_stride;
    int64_t v_batch_stride;
    int64_t v_head_stride;
    int64_t v_row_stride;
    int64_t o_batch_stride; /* o's elements must not overlap */
    int64_t o_head_stride;
    int64_t o_row_stride;
    int64_t mask_batch_stride; /* 0 repeats */
    int64_t mask_head_stride;
    int64_t mask_row_stride;
    int64_t causal;        /* TENON_CUDA_ATTENTION_CAUSAL_* */
    int64_t causal_offset; /* -2^29 to 2^29; only with CAUSAL_OFFSET */
    int64_t window;        /* 0: none */
    double scale;          /* below 1e38 in magnitude; usually 1 / sqrt(head_size) */
    double softcap;        /* c, 1e-30 to 1e30; 0: none */
} tenon_cuda_attention;

TENON_CUDA_API int32_t tenon_cuda_attention_plan(const tenon_cuda_attention* args, const tenon_cuda_device* device,
                                                 tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
