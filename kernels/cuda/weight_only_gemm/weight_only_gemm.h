/*
 * Product of few rows with a matrix of 4-bit or 8-bit integer weights that carry a scale for each group of `group`
 * values along k (decoding of language models).
 *
 *   y[r, c] = sum_g scale[c, g] * (sum_{i in group g} x[r, i] * (weight[c, i] - zero[c, g])) + bias[c]
 *   group g holds the i from g * group to (g + 1) * group - 1; the last may be shorter; groups = ceil(k / group)
 *
 * The differences are exact in 16 bits, products and sums fp32. A scale that is not finite makes its y not finite: NaN
 * or an infinity, depending on the order of sums.
 *
 * Layouts are those of ONNX MatMulNBits (com.microsoft) with B [n, groups, group * bits / 8]: rows of consecutive
 * 4-bit values, the first in the low half of a byte; weight_stride_bytes = groups * group * bits / 8. int8 weights are
 * a plain [n, k] matrix. 4-bit zero points are packed too, every row from a new byte.
 *
 * The fast kernels (tensor cores) take f16 and bf16 when group is a power of two from 32 on or there is one group; x,
 * weight, scale and zero are aligned to 16 bytes, x_stride and k multiples of 8 and weight_stride_bytes a multiple of
 * 16. What lies in a row of weights past k does not matter. f32 takes about twice as long, for x aligned to 16
 * bytes, weight and weight_stride_bytes to `bits` bytes, x_stride a multiple of 4 and k of 8, group a power of two from
 * 8 on or one group. Anything else runs, slowly.
 *
 * Traffic: every weight once per 64 rows of x (32 where n is small, fewer where a block has 99 KiB of shared memory;
 * mostly from L2 then), bits / 8 bytes each, and its scale and zero point, 2 / group + bits / 8 / group bytes a weight;
 * x from L2 once per 16 to 128 rows of weights. Weights stay the larger part, so one row of x costs as much as eight.
 *
 * Limit: m <= 256. Weights to 16 bits first, then an ordinary product, moves 2 * 2 + bits / 8 bytes a weight instead of
 * bits / 8, which takes as long as about four passes over 64 rows on the tensor cores.
 * Source: Kim, Henry, Fahim, Hassan 2022, "Who Says Elephants Can't Run", section 3.3 (integers to f16 by bits);
 * Frantar et al. 2024, "MARLIN" (weights through shared memory into mma fragments).
 */
#ifndef TENON_CUDA_WEIGHT_ONLY_GEMM_H
#define TENON_CUDA_WEIGHT_ONLY_GEMM_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_CUDA_WEIGHT_ONLY_GEMM_MAX_ROWS 256

typedef struct tenon_cuda_weight_only_gemm {
    const void* x;               /* [m, k] */
    const void* weight;          /* [n, k], packed if of 4 bits */
    const void* scale;           /* [n, groups], of `type` */
    const void* zero;            /* [n, groups], of weight_type; may be null: 0 for I4 and I8, 8 for U4, 128 for U8 */
    const void* bias;            /* [n], of `type`; may be null: 0 */
    void* y;                     /* [m, n] */
    int64_t type;                /* of x, scale, bias, y: F32, F16, BF16 */
    int64_t weight_type;         /* I4, U4, I8, U8 */
    int64_t m;                   /* 0 to 256 */
    int64_t n;                   /* 0 to 2^24 */
    int64_t k;                   /* 1 to 2^30 */
    int64_t group;               /* >= 1; k or more: one scale for the whole row */
    int64_t x_stride;            /* between rows of x; >= k */
    int64_t y_stride;            /* >= n */
    int64_t weight_stride_bytes; /* of every row of weight, the last too; >= the bytes of k weights */
} tenon_cuda_weight_only_gemm;

TENON_CUDA_API int32_t tenon_cuda_weight_only_gemm_plan(const tenon_cuda_weight_only_gemm* args,
                                                        const tenon_cuda_device* device, tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
