// What the launcher hands to the kernels.
#pragma once
#include "common/strided.h"

namespace tenon::cuda {

constexpr int kReduceThreads = 256;
// 16-byte accesses of a row that one thread has on their way at once.
constexpr int kReduceItems = 4;

struct ReduceParams {
    const void* x;
    void* y;
    void* partial;  // [outer, splits, inner] states, when splits > 1
    int64_t outer, inner;
    int32_t axis;
    int32_t splits;
    int32_t per_split;    // accesses of a row, or elements of the axis, in a split
    int32_t width;        // rows: lanes of a row, or 256; columns: lanes of a block along inner. A power of two
    Divisor tiles;        // columns: blocks side by side along inner
    int32_t kind;         // TENON_CUDA_REDUCE_*
    int32_t y_type;       // TENON_CUDA_*
    uint32_t clear;       // bits of an element that are cleared: the sign for L1
    uint32_t flip;        // bits of an element that are flipped: the sign for minima, which are maxima then
    int32_t square;       // elements are squared
    uint32_t index_flip;  // of positions: all bits when the first of equal elements counts
};

}  // namespace tenon::cuda
