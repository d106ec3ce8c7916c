/*
 * Slices, padding, concatenation and splits. Only the size of an element counts, not its type. All arrays are dense.
 *
 * tenon_cuda_copy:
 *   y[i0, i1, ...] = x[s0, s1, ...],  sk = source(starts[k] + steps[k] * ik),  for 0 <= ik < dims[k]
 * where source is the identity for slices, and for 0 <= j < n = x_dims[k] in all modes. Outside:
 *   constant: y is the value;  edge: source(j) = min(max(j, 0), n - 1);  wrap: j mod n;
 *   reflect: j mod 2 (n - 1), and 2 (n - 1) less that where it is n or more (0 for n = 1).
 *   ONNX Pad-25 with `before` elements in front has starts = -before; negative pads cut.
 *
 * tenon_cuda_concat: the parts [outer, sizes[p], inner], one after another along the axis, are copied into whole
 *   [outer, sum of sizes, inner]; with split = 1 out of it.
 *
 * Traffic per element: x and y once, in units of 16 bytes where addresses and the lengths of runs allow, else of 8, 4,
 * 2 or 1. A slice whose innermost step is not 1 reads whole sectors.
 * Aliasing: none.
 * Source: ONNX Slice-13, Pad-25, Concat-13, Split-18.
 */
#ifndef TENON_CUDA_COPY_H
#define TENON_CUDA_COPY_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TENON_CUDA_COPY_SLICE = 0, /* every source lies in x */
    TENON_CUDA_COPY_CONSTANT = 1,
    TENON_CUDA_COPY_REFLECT = 2,
    TENON_CUDA_COPY_EDGE = 3,
    TENON_CUDA_COPY_WRAP = 4
};

typedef struct tenon_cuda_copy {
    const void* x;         /* [x_dims[0], x_dims[1], ...] */
    void* y;               /* [dims[0], dims[1], ...] */
    int64_t element_bytes; /* 1, 2, 4 or 8 */
    int64_t mode;          /* TENON_CUDA_COPY_* */
    int64_t value_bits;    /* constant: the element's bits, in the lowest bytes */
    int64_t rank;          /* 0 to 8 */
    int64_t x_dims[8];     /* outermost first; >= 0; > 0 for reflect, edge and wrap unless y is empty */
    int64_t starts[8];
    int64_t steps[8]; /* not 0; 1 unless mode is slice */
    int64_t dims[8];  /* >= 0 */
} tenon_cuda_copy;

TENON_CUDA_API int32_t tenon_cuda_copy_plan(const tenon_cuda_copy* args, const tenon_cuda_device* device,
                                            tenon_cuda_plan* plan);

#define TENON_CUDA_CONCAT_MAX_PARTS 80

typedef struct tenon_cuda_concat {
    void* whole;                                /* [outer, sum of sizes, inner]; only read when split */
    void* parts[TENON_CUDA_CONCAT_MAX_PARTS];   /* [outer, sizes[p], inner]; only read when not split */
    int64_t sizes[TENON_CUDA_CONCAT_MAX_PARTS]; /* >= 0 */
    int64_t count;                              /* of parts: 0 to 80 */
    int64_t outer;                              /* >= 0 */
    int64_t inner;                              /* >= 0 */
    int64_t element_bytes;                      /* 1, 2, 4 or 8 */
    int64_t split;                              /* 0: parts into whole; 1: whole into parts */
} tenon_cuda_concat;

TENON_CUDA_API int32_t tenon_cuda_concat_plan(const tenon_cuda_concat* args, const tenon_cuda_device* device,
                                              tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
