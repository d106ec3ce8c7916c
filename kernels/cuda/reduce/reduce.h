/*
 * Reductions over the middle axis of [outer, axis, inner].
 *
 *   y[o, i] = fold over a of x[o, a, i]
 *
 *   SUM, MEAN, MAX, MIN, PROD; L1: sum of |x|; L2: sqrt(sum of x^2); SUM_SQUARE: sum of x^2; LOG_SUM: log(sum of x);
 *   LOG_SUM_EXP: log(sum of exp(x)) without overflow; ARG_MAX, ARG_MIN: the position of the largest or smallest, int64.
 *
 * A NaN among the elements makes the result NaN. For ARG_MAX and ARG_MIN a NaN counts before any number, as in PyTorch;
 * of equal elements (-0 equals 0) the first counts, with select_last the last. Of an empty axis: 0 for sums, 1 for
 * PROD, -inf for MAX, LOG_SUM and LOG_SUM_EXP, +inf for MIN, NaN for MEAN (integers: the least or the largest value).
 * Floats are folded in fp32 in a fixed order: the same arguments give the same bits. Integers wrap.
 *
 * x and y are dense. Neighbouring axes that are reduced together, or kept together, are one axis: callers multiply
 * their dimensions. Axes that are reduced and lie apart take one call after the other, innermost first, through an F32
 * y: the same kind each time for MEAN (of equal parts), MAX, MIN, PROD, LOG_SUM_EXP, SUM, L2; SUM follows L1 and
 *   SUM_SQUARE; LOG_SUM comes last, after SUM.
 *
 * Traffic: x once. Few long folds are split over blocks, which leave their results (4 to 12 bytes each) in the
 * workspace for a second launch. Source: ONNX ReduceSum-13, ReduceMax-20 ..., ArgMax-13.
 */
#ifndef TENON_CUDA_REDUCE_H
#define TENON_CUDA_REDUCE_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The values of TENON_REDUCE_* in tenon.h. */
enum {
    TENON_CUDA_REDUCE_SUM = 0,
    TENON_CUDA_REDUCE_MEAN = 1,
    TENON_CUDA_REDUCE_MAX = 2,
    TENON_CUDA_REDUCE_MIN = 3,
    TENON_CUDA_REDUCE_PROD = 4,
    TENON_CUDA_REDUCE_L1 = 5,
    TENON_CUDA_REDUCE_L2 = 6,
    TENON_CUDA_REDUCE_SUM_SQUARE = 7,
    TENON_CUDA_REDUCE_LOG_SUM = 8,
    TENON_CUDA_REDUCE_LOG_SUM_EXP = 9,
    TENON_CUDA_REDUCE_ARG_MAX = 16,
    TENON_CUDA_REDUCE_ARG_MIN = 17
};

typedef struct tenon_cuda_reduce {
    const void* x;       /* [outer, axis, inner] */
    void* y;             /* [outer, inner] */
    void* workspace;     /* see tenon_cuda_plan; may be null when the plan asks for 0 bytes */
    int64_t kind;        /* TENON_CUDA_REDUCE_* */
    int64_t type;        /* of x: F32, F16, BF16; for SUM, MAX, MIN, L1, SUM_SQUARE also I32, I64 */
    int64_t y_type;      /* ARG_*: I64. Else type, or F32 for floats */
    int64_t select_last; /* ARG_*: 1: the last of equal elements; else 0 */
    int64_t outer;       /* >= 0 */
    int64_t axis;        /* 0 to 2^31 - 2^14; ARG_*: not 0 */
    int64_t inner;       /* >= 0 */
} tenon_cuda_reduce;

TENON_CUDA_API int32_t tenon_cuda_reduce_plan(const tenon_cuda_reduce* args, const tenon_cuda_device* device,
                                              tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
