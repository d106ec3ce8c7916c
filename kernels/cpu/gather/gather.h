// Gather of slices and of single elements by index, any element type.
#ifndef TENON_KERNELS_CPU_GATHER_GATHER_H
#define TENON_KERNELS_CPU_GATHER_GATHER_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

// dst[o, k, :] = data[o, indices[k], :] with data [outer, axis, slice_bytes], dst [outer, index_count, slice_bytes].
// An index i counts from the end when -axis <= i < 0. A unit is one (o, k) pair, unit = o * index_count + k.
struct GatherParams {
    const void* data;
    const void* indices;
    void* dst;
    int64_t axis;
    int64_t index_count;
    int64_t slice_bytes;
    int32_t index_bytes;  // 4 or 8, signed
};

// dst[o, k, n] = data[o, indices[o, k, n], n] with data [outer, axis, data_inner], indices and dst [outer, index_count,
// inner], inner <= data_inner; elements of element_bytes 1, 2, 4 or 8. A unit is one element of dst. ONNX also lets
// indices be smaller than data in the outer dims and in several inner ones: those are several calls.
struct GatherElementsParams {
    const void* data;
    const void* indices;
    void* dst;
    int64_t axis;
    int64_t index_count;
    int64_t inner;
    int64_t data_inner;
    int32_t element_bytes;
    int32_t index_bytes;  // 4 or 8, signed
};

// dst[b, k, :] = data[b, indices[b, k, 0], ..., indices[b, k, depth-1], :]: GatherND. data [batch, dims...,
// slice_bytes], indices [batch, tuples, depth], 0 <= depth <= 8. A unit is one (b, k) pair.
struct GatherNdParams {
    const void* data;
    const void* indices;
    void* dst;
    int64_t tuples;
    int64_t depth;
    int64_t dims[8];
    int64_t slice_bytes;
    int32_t index_bytes;  // 4 or 8, signed
};

// Each does units unit_begin .. unit_end-1 and returns -1, or the position in `indices` of the first index of the range
// that is out of range; nothing outside the arrays is read, and dst is then incomplete. data and dst do not overlap.
struct GatherKernels {
    Isa isa;
    int64_t (*gather)(const GatherParams& params, int64_t unit_begin, int64_t unit_end);
    int64_t (*gather_elements)(const GatherElementsParams& params, int64_t unit_begin, int64_t unit_end);
    int64_t (*gather_nd)(const GatherNdParams& params, int64_t unit_begin, int64_t unit_end);
};

#define TENON_KERNEL(isa, name)      \
    namespace isa {                  \
    extern const GatherKernels name; \
    }
#include "gather.inc"
#undef TENON_KERNEL

const GatherKernels& select_gather(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
