// Strided copies and fills: slice, concat, split, pad with a constant, expand.
#ifndef TENON_KERNELS_CPU_COPY_COPY_H
#define TENON_KERNELS_CPU_COPY_COPY_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

constexpr int32_t kCopyMaxRank = 8;

// dst[sum i_k dst_strides[k]] = src[sum i_k src_strides[k]] for all 0 <= i_k < dims[k]. Made by copy_plan.
// Strides count elements, may be negative, and a src stride may be 0 (expand). Plain data.
struct CopyPlan {
    int32_t element_bytes;  // 1, 2, 4, 8
    int32_t rank;           // outer loops
    int64_t dims[kCopyMaxRank];
    int64_t src_strides[kCopyMaxRank];  // bytes
    int64_t dst_strides[kCopyMaxRank];  // bytes
    int64_t inner;                      // elements of the innermost loop
    int64_t inner_src_stride;           // bytes
    int64_t inner_dst_stride;           // bytes
    int64_t chunk;                      // inner elements per unit
    int64_t chunks;                     // units per innermost loop
    int64_t units;                      // of work, outer index * chunks + chunk; any range may run on any thread
};

// False when an argument is out of range (rank 0..8, negative dim, element_bytes not 1, 2, 4, 8).
bool copy_plan(const int64_t* dims, const int64_t* src_strides, const int64_t* dst_strides, int32_t rank,
               int32_t element_bytes, CopyPlan* out);

struct CopyKernels {
    Isa isa;
    // Does units unit_begin .. unit_end-1. src and dst are the addresses of element (0, ..., 0) and do not overlap.
    void (*run)(const CopyPlan& plan, const void* src, void* dst, int64_t unit_begin, int64_t unit_end);
    // The same with one value for all elements; src strides are not read. value: element_bytes bytes.
    void (*fill)(const CopyPlan& plan, const void* value, void* dst, int64_t unit_begin, int64_t unit_end);
};

#define TENON_KERNEL(isa, name)    \
    namespace isa {                \
    extern const CopyKernels name; \
    }
#include "copy.inc"
#undef TENON_KERNEL

const CopyKernels& select_copy(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
