// Permutation of the axes of a dense array, elements of 1, 2, 4 or 8 bytes.
#ifndef TENON_KERNELS_CPU_TRANSPOSE_TRANSPOSE_H
#define TENON_KERNELS_CPU_TRANSPOSE_TRANSPOSE_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

constexpr int32_t kTransposeMaxRank = 8;

// How to walk a permutation: made once by transpose_plan, read by the kernels. Plain data.
// After axes that stay together are merged, the two innermost loops are a rows x cols tile: cols runs densely over src,
// rows densely over dst (kind tile), or one loop copies dense stretches (kind copy).
struct TransposePlan {
    enum class Kind : int32_t { copy, tile };
    Kind kind;
    int32_t element_bytes;  // 1, 2, 4, 8
    int32_t rank;           // outer loops, in dst order
    int64_t dims[kTransposeMaxRank];
    int64_t src_strides[kTransposeMaxRank];  // elements
    int64_t dst_strides[kTransposeMaxRank];
    int64_t copy_elements;  // copy: length of a stretch
    int64_t rows, cols;     // tile: dst[c * dst_col_stride + r] = src[r * src_row_stride + c]
    int64_t src_row_stride, dst_col_stride;
    int64_t tile_cols;   // cols are cut in pieces of this many (the last may be shorter)
    int64_t tile_count;  // pieces of one tile plane
    int64_t units;       // of work: outer index * tile_count + piece; any range of units may run on any thread
};

// dst axis i is src axis perm[i]; src is dense with these dims. False when an argument is out of range (rank 0..8, perm
// no permutation, negative dim, element_bytes not 1, 2, 4, 8).
bool transpose_plan(const int64_t* dims, const int32_t* perm, int32_t rank, int32_t element_bytes, TransposePlan* out);

struct TransposeKernels {
    Isa isa;
    // Does units unit_begin .. unit_end-1. dst and src do not overlap.
    void (*run)(const TransposePlan& plan, const void* src, void* dst, int64_t unit_begin, int64_t unit_end);
};

#define TENON_KERNEL(isa, name)         \
    namespace isa {                     \
    extern const TransposeKernels name; \
    }
#include "transpose.inc"
#undef TENON_KERNEL

const TransposeKernels& select_transpose(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
