/*
 * Attention of a few new query rows per sequence over a KV cache that already holds them ("decode"). For sequence b
 * of n = lengths[b] keys (counted as 0 to max_length), new row i, query head h and its KV head g = h / (heads /
 * kv_heads):
 *
 *   last = n - rows + i                                    the position of row i
 *   s[j] = scale * k_scale[g] * sum_d q[b, i, h, d] k[j, g, d]   for max(0, last - window + 1) <= j <= last
 *   s[j] = softcap * tanh(s[j] / softcap)                  when softcap > 0
 *   o[b, i, h, d] = v_scale[g] * sum_j softmax(s)[j] v[j, g, d]; 0 for a row that sees no key (last < 0)
 *   lse[b, i, h] = log sum_j exp(s[j]); -infinity for such a row
 *
 * NaN and infinities spread as in the formula; those of v at a key that only other rows of the sequence see may spread
 * to rows that see some key, too (0 * NaN).
 *
 * Key j of sequence b lies, without block_table, at page b, token j; with it, at page block_table[b, j / page_size],
 * token j % page_size. In units of elements, k[j, g, d] is k[page * k_page_stride + token * k_token_stride +
 * g * k_head_stride + d]; v alike. Nothing at or beyond a sequence's length is read, neither of the cache nor of the
 * table.
 *
 * Traffic: K and V once for up to 16 (8 for head sizes above 128, 4 for fp32) query rows of a KV head, that is
 * rows * heads / kv_heads; q and o once; where a sequence is split, 8 bytes of fp32 partial result (once written, once
 * read, mostly in L2) for each query row, element of head_size and split.
 * 16-bit types run on tensor cores when head_size is a multiple of 8 and k and v with their strides allow 8 elements to
 * an access: probabilities are rounded to the type, as in FlashAttention; with an f8e4m3 cache q and the probabilities
 * are rounded to f16. Otherwise products are fp32, and 16-bit caches are read element by element.
 * Source: Milakov, Gimelshein 2018 (online softmax); Dao, Haziza, Massa, Sizov 2023 (flash-decoding); Kwon et al. 2023
 * (paged cache).
 */
#ifndef TENON_CUDA_DECODE_ATTENTION_H
#define TENON_CUDA_DECODE_ATTENTION_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_cuda_decode_attention {
    const void* q;              /* [batch, rows, heads, head_size] */
    const void* k;              /* the cache, addressed as above */
    const void* v;              /* the same */
    void* o;                    /* [batch, rows, heads, head_size] */
    float* lse;                 /* [batch, rows, heads]; may be null */
    const int32_t* lengths;     /* [batch] */
    const int32_t* block_table; /* [batch, table_stride]; may be null: one page per sequence */
    const float* k_scale;       /* [kv_heads]; may be null: 1 */
    const float* v_scale;       /* [kv_heads]; may be null: 1 */
    void* workspace;            /* see plan.h */
    int64_t type;               /* of q, o: F32, F16, BF16 */
    int64_t cache_type;         /* of k, v: type, or F8E4M3 when type is F16 or BF16 */
    int64_t batch;              /* 0 to 65535 */
    int64_t rows;               /* 0 to 65535 */
    int64_t heads;              /* a multiple of kv_heads, up to 65535 */
    int64_t kv_heads;           /* >= 1 */
    int64_t head_size;          /* 1 to 256 */
    int64_t max_length;         /* 0 to 2^31 - 65536; no sequence is longer */
    int64_t q_batch_stride;
    int64_t q_row_stride;
    int64_t q_head_stride;
    int64_t o_batch_stride;
    int64_t o_row_stride;
    int64_t o_head_stride;
    int64_t k_page_stride;
    int64_t k_token_stride;
    int64_t k_head_stride;
    int64_t v_page_stride;
    int64_t v_token_stride;
    int64_t v_head_stride;
    int64_t page_size;    /* a power of two; ignored without block_table */
    int64_t table_stride; /* entries between sequences; >= pages of max_length */
    int64_t window;       /* keys a row sees, its own included; 0: all */
    int64_t splits;       /* parts of a sequence that different blocks take; 0: the launcher chooses */
    double scale;         /* below 1e38 in magnitude */
    double softcap;       /* 1e-30 to 1e30; 0: none */
} tenon_cuda_decode_attention;

TENON_CUDA_API int32_t tenon_cuda_decode_attention_plan(const tenon_cuda_decode_attention* args,
                                                        const tenon_cuda_device* device, tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
