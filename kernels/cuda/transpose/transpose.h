/*
 * Permutation of the axes of an array; also any other dense copy of a strided one (part of a packed array, expansion).
 *
 *   y[i0, i1, ...] = x[i0 * x_strides[0] + i1 * x_strides[1] + ...]   for 0 <= ik < dims[k]; y is dense
 *
 * The transpose of a dense array that puts axis perm[k] at place k has dims[k] = x_dims[perm[k]] and x_strides[k] the
 * stride of axis perm[k] in x. Only the size of an element counts, not its type.
 *
 * Axes of size 1 fall away, neighbours that stay together count as one. Then, if the innermost axis stays innermost,
 * runs are copied in units of 16 bytes, or fewer where addresses, strides and sizes ask for it; if another axis of y
 * runs densely over x, 128-byte rows go through tiles in shared memory; anything else is gathered element by element.
 *
 * Traffic per element: x and y once (a gather may read x's sectors more than once).
 * Aliasing: none.
 * Source: ONNX Transpose-25; Ruetsch, Micikevicius 2009 (tiles through shared memory).
 */
#ifndef TENON_CUDA_TRANSPOSE_H
#define TENON_CUDA_TRANSPOSE_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_cuda_transpose {
    const void* x;         /* element (0, 0, ...) */
    void* y;               /* [dims[0], dims[1], ...] */
    int64_t element_bytes; /* 1, 2, 4 or 8 */
    int64_t rank;          /* 0 to 8 */
    int64_t dims[8];       /* of y, outermost first; >= 0 */
    int64_t x_strides[8];  /* of the same axes in x; >= 0 */
} tenon_cuda_transpose;

TENON_CUDA_API int32_t tenon_cuda_transpose_plan(const tenon_cuda_transpose* args, const tenon_cuda_device* device,
                                                 tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
