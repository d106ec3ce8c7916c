/*
 * Activations of rows, with bias, gate and quantized output.
 *
 *   y[r, i] = f(x[r, i] + bias[i])                               without up
 *   y[r, i] = f(x[r, i] + bias[i]) * (up[r, i] + up_bias[i])     with up: SwiGLU (f = silu), GeGLU (gelu), ReGLU (relu)
 * in fp32, rounded once to y_type; when that is int8 or f8e4m3, divided by y_scale before. int8 rounds to nearest even
 * and saturates. Gate and up that are the halves of one [rows, 2 * columns] are given as two pointers with one stride.
 *
 *   relu       max(v, 0)
 *   gelu       v * (1 + erf(v / sqrt(2))) / 2; relative error below 3e-6 (fp32), below 2^-14 (16-bit types, before the
 *              rounding), or absolute below 1e-11; for -infinity it is the limit, 0 (PyTorch: NaN)
 *   gelu_tanh  v * (1 + tanh(sqrt(2 / pi) * (v + 0.044715 v^3))) / 2
 *   silu       v / (1 + exp(-v))
 *   quick_gelu v / (1 + exp(-1.702 v))
 * NaN gives NaN; int8 0.
 *
 * Traffic per element: x and y once, up once where it is given; biases come from the cache.
 * Aliasing: y may be x or up where their types and strides are the same.
 * Source: Hendrycks, Gimpel 2016 (GELU, both forms); Elfwing et al. 2017 (SiLU); Shazeer 2020 (gated forms); ONNX
 * Gelu-20, Swish-24.
 */
#ifndef TENON_CUDA_ACTIVATION_H
#define TENON_CUDA_ACTIVATION_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TENON_CUDA_ACTIVATION_RELU = 0,
    TENON_CUDA_ACTIVATION_GELU = 1,
    TENON_CUDA_ACTIVATION_GELU_TANH = 2,
    TENON_CUDA_ACTIVATION_SILU = 3,
    TENON_CUDA_ACTIVATION_QUICK_GELU = 4
};

typedef struct tenon_cuda_activation {
    const void* x;       /* [rows, columns] */
    const void* bias;    /* [columns]; may be null: 0 */
    const void* up;      /* [rows, columns]; may be null: no gate */
    const void* up_bias; /* [columns]; may be null: 0; only with up */
    void* y;             /* [rows, columns] */
    int64_t kind;        /* TENON_CUDA_ACTIVATION_* */
    int64_t type;        /* of x, up and the biases: F32, F16, BF16 */
    int64_t y_type;      /* type, I8 or F8E4M3 */
    int64_t rows;        /* 0 to 2^31 - 1 */
    int64_t columns;     /* 0 to 2^31 - 1 */
    int64_t x_stride;    /* between rows of x; >= columns */
    int64_t up_stride;
    int64_t y_stride;
    double y_scale; /* >= 2^-126; only for quantized y */
} tenon_cuda_activation;

TENON_CUDA_API int32_t tenon_cuda_activation_plan(const tenon_cuda_activation* args, const tenon_cuda_device* device,
                                                  tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
