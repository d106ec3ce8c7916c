/*
 * The k largest or smallest elements of each row, in order, and where they are.
 *
 *   values[r, j], indices[r, j]: the j-th of row r's elements, largest (or smallest) first; of equal elements the one
 * with the lower index comes first. NaN counts as larger than any number; -0 equals 0.
 *
 * Traffic: x once, and k values of each row again. Each block selects from 8192 elements that its registers hold;
 * longer rows leave up to max(2 k, 64) candidates (8 bytes each) of every 8192 elements in the workspace for the next
 * launch. k above 1024, up to a full sort: runs of 2048 elements are sorted and their min(k, 2048) first (8 bytes each)
 * kept in the workspace, where each finds its place by a binary search in every run of its row, from L2.
 * Source: ONNX TopK-24 (sorted).
 */
#ifndef TENON_CUDA_TOPK_H
#define TENON_CUDA_TOPK_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_cuda_topk {
    const void* x;    /* [rows, n] */
    void* values;     /* [rows, k]; may be null */
    int64_t* indices; /* [rows, k] */
    void* workspace;  /* see tenon_cuda_plan; may be null when the plan asks for 0 bytes */
    int64_t type;     /* of x and values: F32, F16, BF16 */
    int64_t largest;  /* 1: the largest, 0: the smallest */
    int64_t rows;     /* 0 to 2^31 - 1 */
    int64_t n;        /* k to 2^31 - 2^14 */
    int64_t k;        /* 0 to 1024; to n where n is at most 2^20 */
    int64_t x_stride; /* between rows of x; >= n */
} tenon_cuda_topk;

TENON_CUDA_API int32_t tenon_cuda_topk_plan(const tenon_cuda_topk* args, const tenon_cuda_device* device,
                                            tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
