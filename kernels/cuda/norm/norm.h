/*
 * Layer and RMS normalisation of rows, with residual sum and with quantized output.
 *
 *   s[r, i] = x[r, i] + residual[r, i], rounded to `type`
 *   layer:  n[r, i] = (s[r, i] - mean_j s[r, j]) / sqrt(mean_j (s[r, j] - mean)^2 + epsilon) * scale[i] + bias[i]
 *   rms:    n[r, i] = s[r, i] / sqrt(mean_j s[r, j]^2 + epsilon) * scale[i] + bias[i]
 *   y[r, i] = n[r, i] rounded to y_type; when y_type is int8 or f8e4m3, n[r, i] / q rounded, where q is y_scale, or,
 * when row_scale is given, the row's own max_i |n[r, i]| / L, stored in row_scale[r] (L = 127 for int8, 448 for f8e4m3;
 * q = 1 for a row of zeros, else at least 2^-126). int8 rounds to nearest even and saturates.
 *
 * Traffic per element: x and y once; residual and sum once where they are given; scale and bias come from the cache.
 * Of rows of more than 24576 16-bit or 12288 32-bit elements, the rest is read three times (two of them mostly from
 * L2). Aliasing: y, sum, x and residual may be the same memory where their types are the same. Source: Ba, Kiros,
 * Hinton 2016 (layer normalisation); Zhang, Sennrich 2019, equation 4 (RMS normalisation); ONNX LayerNormalization-17,
 * RMSNormalization-23.
 */
#ifndef TENON_CUDA_NORM_H
#define TENON_CUDA_NORM_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TENON_CUDA_NORM_LAYER = 0, TENON_CUDA_NORM_RMS = 1 };

typedef struct tenon_cuda_norm {
    const void* x;        /* [rows, columns] */
    const void* residual; /* [rows, columns]; may be null: 0 */
    const void* scale;    /* [columns]; may be null: 1 */
    const void* bias;     /* [columns]; may be null: 0 */
    void* y;              /* [rows, columns] */
    void* sum;            /* [rows, columns], receives s; may be null */
    float* row_scale;     /* [rows]; may be null; only for quantized y */
    int64_t kind;         /* TENON_CUDA_NORM_* */
    int64_t type;         /* of x, residual, scale, bias, sum: F32, F16, BF16 */
    int64_t y_type;       /* type, I8 or F8E4M3 */
    int64_t rows;         /* 0 to 2^31 - 1 */
    int64_t columns;      /* 1 to 2^30 when rows > 0 */
    int64_t x_stride;     /* between rows of x; >= columns */
    int64_t residual_stride;
    int64_t y_stride;
    int64_t sum_stride;
    double epsilon; /* >= 0 */
    double y_scale; /* >= 2^-126; only for quantized y without row_scale */
} tenon_cuda_norm;

TENON_CUDA_API int32_t tenon_cuda_norm_plan(const tenon_cuda_norm* args, const tenon_cuda_device* device,
                                            tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
