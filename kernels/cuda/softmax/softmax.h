/*
 * Softmax and its logarithm over the middle axis of [outer, axis, inner].
 *
 *   v[o, a, i] = scale * x[o, a, i]
 *   softmax:  y[o, a, i] = exp(v[o, a, i] - m) / sum_b exp(v[o, b, i] - m),   m = max_b v[o, b, i]
 *   log:      y[o, a, i] = v[o, a, i] - m - log(sum_b exp(v[o, b, i] - m))
 *
 * A row (o, i) whose largest v is not finite (it holds a NaN or +inf, or nothing but -inf) becomes all NaN, as in
 * PyTorch. Logarithms keep their relative accuracy close to 0.
 *
 * x and y are dense. Neighbouring axes around and within the reduced one are one axis to this kernel: callers multiply
 * their dimensions.
 *
 * Traffic per element: inner = 1, rows of up to 8192: x once, y once. Longer rows: x twice, the second time backwards
 * and so mostly from the caches; y once. Few rows longer than 32768 are split over blocks (two launches). inner > 1: x
 * twice, the second time mostly from the caches.
 * Aliasing: y may be x when the types are the same.
 * Source: ONNX Softmax-13, LogSoftmax-13; Milakov, Gimelshein 2018 (one pass for maximum and sum).
 */
#ifndef TENON_CUDA_SOFTMAX_H
#define TENON_CUDA_SOFTMAX_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TENON_CUDA_SOFTMAX = 0, TENON_CUDA_SOFTMAX_LOG = 1 };

typedef struct tenon_cuda_softmax {
    const void* x;   /* [outer, axis, inner] */
    void* y;         /* [outer, axis, inner] */
    void* workspace; /* see tenon_cuda_plan; may be null when the plan asks for 0 bytes */
    int64_t kind;    /* TENON_CUDA_SOFTMAX or TENON_CUDA_SOFTMAX_LOG */
    int64_t type;    /* of x: F32, F16, BF16 */
    int64_t y_type;  /* type or F32 */
    int64_t outer;   /* >= 0; blocks are counted with 31 bits: outer * ceil(inner / 4) below 2^31 */
    int64_t axis;    /* 0 to 2^31 - 2^14 */
    int64_t inner;   /* >= 0 */
    double scale;    /* > 0 */
} tenon_cuda_softmax;

TENON_CUDA_API int32_t tenon_cuda_softmax_plan(const tenon_cuda_softmax* args, const tenon_cuda_device* device,
                                               tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
