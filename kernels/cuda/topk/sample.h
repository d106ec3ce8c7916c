/*
 * One token a row, drawn from logits.
 *
 * temperature 0: the position of the largest logit; of equal ones the first. Otherwise, with l_i = x_i / temperature:
 *   1. top_k > 0: only the top_k largest l_i stay (of equal ones those with the lower index);
 *   2. p = softmax of those that stayed;
 *   3. top_p < 1: the smallest set {i : l_i >= t} with a sum of p_i of at least top_p stays;
 *   4. min_p > 0: of these, those with p_i >= min_p * max p stay;
 *   5. token = argmax_i l_i - log(e_i) over those that stayed, where e_i = -log(1 - (w_i + 1/2) / 2^32) is
 * exponentially distributed: i wins with probability p_i / (sum of p over those that stayed). w_i is word i % 4 of
 * Philox4x32-10 with the counter (i / 4, 0, offset low, offset high) and the key (seed low, seed high), where offset
 * and seed are the row's. So a token depends on its row's logits, seed and offset only, not on the batch or the GPU;
 * whoever generates text raises the offset by one for each token. A row with a NaN gives the position of the first NaN,
 * else one with +inf that of the first of them, and one of -inf only gives 0; -inf among other logits is never drawn.
 *
 * Traffic: without top_k, top_p and min_p the logits once. With top_k once, the rest works on candidates. With top_p or
 * min_p and no top_k once, unless more than 128 tokens may stay: then the row is read again for every bit of the
 * threshold (from L2).
 * Source: Salmon et al. 2011 (Philox); Holtzman et al. 2020 (top_p); Nguyen et al. 2024 (min_p); the race of
 * exponentials is Gumbel's trick.
 */
#ifndef TENON_CUDA_SAMPLE_H
#define TENON_CUDA_SAMPLE_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_cuda_sample {
    const void* x;          /* logits [rows, n] */
    void* tokens;           /* [rows] */
    const int64_t* seeds;   /* [rows]; may be null: 0 */
    const int64_t* offsets; /* [rows]; may be null: 0 */
    void* workspace;        /* see tenon_cuda_plan */
    int64_t type;           /* of x: F32, F16, BF16 */
    int64_t token_type;     /* I32 or I64 */
    int64_t rows;           /* 0 to 2^31 - 1 */
    int64_t n;              /* 1 to 2^31 - 2^14 */
    int64_t x_stride;       /* between rows of x; >= n */
    int64_t top_k;          /* 0: no limit; up to 1024 */
    double temperature;     /* 0, or 1e-6 to 1e6 */
    double top_p;           /* above 0, at most 1 */
    double min_p;           /* 0 to 1 */
} tenon_cuda_sample;

TENON_CUDA_API int32_t tenon_cuda_sample_plan(const tenon_cuda_sample* args, const tenon_cuda_device* device,
                                              tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
