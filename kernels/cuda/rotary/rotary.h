/*
 * Rotary position embedding of q and k in one launch, possibly in place.
 *
 * For every batch b, position s, head h of q and of k, with R = rotary, c = cos[m, j], n = sin[m, j], m = p(b, s):
 *   half-split   y[j]     = x[j] c - x[j + R/2] n          interleaved  y[2j]     = x[2j] c - x[2j + 1] n
 *   ("neox")     y[j+R/2] = x[j + R/2] c + x[j] n                       y[2j + 1] = x[2j + 1] c + x[2j] n
 * for 0 <= j < R/2, in fp32, rounded once; y[i] = x[i] for R <= i < head_size.
 *   p(b, s) = positions[b, s], or, where it is null, position_offset + b * position_batch_step + s (step 0: every batch
 *             begins at the offset; step sequence: cos and sin have a row for each b and s, ONNX's 3-dimensional
 * caches) A position outside [0, max_position) makes the rotated part NaN.
 *
 * A tensor's element (b, s, h, i) is at b * batch_stride + s * sequence_stride + h * head_stride + i: any of [B, S, H,
 * D], [B, H, S, D], [B, S, H * D], parts of a merged projection, a place in a contiguous cache.
 *
 * Traffic per element: x and y once (in place, only the rotated part); cos and sin once for every four heads, from the
 * caches.
 * Aliasing: q_out may be q with the same strides, k_out may be k; otherwise no output may overlap an input.
 * Source: Su et al. 2021, equation 34; ONNX RotaryEmbedding-23.
 */
#ifndef TENON_CUDA_ROTARY_H
#define TENON_CUDA_ROTARY_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_cuda_rotary {
    const void* q;          /* [batch, sequence, q_heads, head_size] */
    const void* k;          /* [batch, sequence, k_heads, head_size]; may be null when k_heads is 0 */
    void* q_out;            /* as q */
    void* k_out;            /* as k; may be null when k_heads is 0 */
    const void* cos;        /* [max_position, rotary / 2] */
    const void* sin;        /* [max_position, rotary / 2] */
    const void* positions;  /* [batch, sequence]; may be null */
    int64_t type;           /* of q, k: F32, F16, BF16 */
    int64_t table_type;     /* of cos, sin: type or F32 */
    int64_t positions_type; /* I32 or I64; only with positions */
    int64_t interleaved;    /* 0 or 1 */
    int64_t batch;          /* 0 to 2^31 - 1, as all sizes */
    int64_t sequence;
    int64_t q_heads;
    int64_t k_heads;
    int64_t head_size;
    int64_t rotary; /* even; 0 to head_size */
    int64_t max_position;
    int64_t position_offset; /* 0 to 2^31 - 1, as position_batch_step */
    int64_t position_batch_step;
    int64_t table_stride; /* between rows of cos and of sin; >= rotary / 2 */
    int64_t q_batch_stride;
    int64_t q_sequence_stride;
    int64_t q_head_stride;
    int64_t k_batch_stride;
    int64_t k_sequence_stride;
    int64_t k_head_stride;
    int64_t q_out_batch_stride;
    int64_t q_out_sequence_stride;
    int64_t q_out_head_stride;
    int64_t k_out_batch_stride;
    int64_t k_out_sequence_stride;
    int64_t k_out_head_stride;
} tenon_cuda_rotary;

TENON_CUDA_API int32_t tenon_cuda_rotary_plan(const tenon_cuda_rotary* args, const tenon_cuda_device* device,
                                              tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
