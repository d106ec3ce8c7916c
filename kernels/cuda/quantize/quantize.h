/*
 * Quantization and its inverse, with scales given or found.
 *
 * tenon_cuda_quantize, where x is a float tensor:    y = saturate(round(x / s) + z), to nearest even; where x / s is
 *   NaN and y an integer, y is z. Quotients are those of fp32 (a last bit may differ in one of 2^24). f8: y = x / s + z
 *   rounded and saturated.
 * tenon_cuda_quantize, where y is a float tensor:    y = (x - z) * s
 *   s and z are scale[g] and zero[g] of the element's group g. With the tensor seen as [outer, axis, inner]:
 *   block = 0: g = index along axis (per tensor: outer = axis = 1); else
 *   g = (outer index, index along axis / block, inner index) in [outer, ceil(axis / block), inner].
 *   int4 and uint4 lie two to a byte, the first in the low half; a last half byte without an element is 0.
 *
 * tenon_cuda_quantize_rows:    q[r] = max_i |x[r, i]| / L, at least 2^-126 (1 for a row of zeros), L = 127 for int8,
 * 448 for f8e4m3; y[r, i] = x[r, i] * (1 / q[r]) rounded to y_type.
 *
 * tenon_cuda_quantize_dynamic:    low = min(0, x), high = max(0, x) of all elements; scale = (high - low) / 255 (1 when
 *   that is 0); zero = round(-low / scale), 0 to 255; y = saturate(round(x / scale) + zero) as uint8.
 *
 * Traffic per element: x and y once; scales and zeros once or from the cache. Rows of more than 16384 16-bit or 8192
 * 32-bit elements and quantize_dynamic read x twice, the second time from L2 as far as it holds x.
 * Aliasing: none.
 * Source: ONNX QuantizeLinear-25, DequantizeLinear-25, DynamicQuantizeLinear-11.
 */
#ifndef TENON_CUDA_QUANTIZE_H
#define TENON_CUDA_QUANTIZE_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_cuda_quantize {
    const void* x;     /* [outer, axis, inner] */
    void* y;           /* [outer, axis, inner] */
    const void* scale; /* one for each group */
    const void* zero;  /* one for each group, of the quantized type; may be null: 0 */
    int64_t x_type;    /* of x and y, one is F32, F16 or BF16, the other I8, U8, F8E4M3, F8E5M2, I4 or U4 */
    int64_t y_type;
    int64_t scale_type; /* F32 or the float tensor's type */
    int64_t outer;      /* >= 0 */
    int64_t axis;       /* >= 0 */
    int64_t inner;      /* >= 0 */
    int64_t block;      /* >= 0 */
} tenon_cuda_quantize;

TENON_CUDA_API int32_t tenon_cuda_quantize_plan(const tenon_cuda_quantize* args, const tenon_cuda_device* device,
                                                tenon_cuda_plan* plan);

typedef struct tenon_cuda_quantize_rows {
    const void* x;    /* [rows, columns] */
    void* y;          /* [rows, columns] */
    float* row_scale; /* [rows] */
    int64_t type;     /* F32, F16, BF16 */
    int64_t y_type;   /* I8 or F8E4M3 */
    int64_t rows;     /* 0 to 2^31 - 1 */
    int64_t columns;  /* 1 to 2^31 - 1 when rows > 0 */
    int64_t x_stride; /* between rows; >= columns */
    int64_t y_stride;
} tenon_cuda_quantize_rows;

TENON_CUDA_API int32_t tenon_cuda_quantize_rows_plan(const tenon_cuda_quantize_rows* args,
                                                     const tenon_cuda_device* device, tenon_cuda_plan* plan);

typedef struct tenon_cuda_quantize_dynamic {
    const void* x;   /* [n] */
    uint8_t* y;      /* [n] */
    float* scale;    /* [1] */
    uint8_t* zero;   /* [1] */
    void* workspace; /* two floats for each block that looks for the range */
    int64_t type;    /* F32, F16, BF16 */
    int64_t n;       /* >= 0 */
} tenon_cuda_quantize_dynamic;

TENON_CUDA_API int32_t tenon_cuda_quantize_dynamic_plan(const tenon_cuda_quantize_dynamic* args,
                                                        const tenon_cuda_device* device, tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
