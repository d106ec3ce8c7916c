/*
 * Launches of generated kernels, for tests and measurements: the .cu files of this folder are examples of what the
 * generator in java-api/cuda writes (dev.tenon.cuda.internal.elementwise), examples.inc their launches as it makes
 * them. An engine's kernels are generated and launched from Java; none of this is in the product.
 *
 *   y = f(x0, x1, ...), every input broadcast to y's shape; see elementwise.cuh.
 */
#ifndef TENON_CUDA_ELEMENTWISE_H
#define TENON_CUDA_ELEMENTWISE_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_cuda_elementwise {
    int64_t example; /* line of examples.inc, from 0; it fixes functions, types and shapes */
    const void* x0;  /* inputs, aligned to 16 bytes; may be null where the example has none */
    const void* x1;
    const void* x2;
    const void* x3;
    void* y; /* aligned to 16 bytes */
} tenon_cuda_elementwise;

TENON_CUDA_API int32_t tenon_cuda_elementwise_plan(const tenon_cuda_elementwise* args, const tenon_cuda_device* device,
                                                   tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
